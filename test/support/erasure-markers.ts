import { randomBytes } from 'node:crypto';

/** Bytes before the text, so that its base64 has each of the three possible alignments. */
const ALIGNMENTS = [0, 1, 2];

/** Unique texts of one account, and where they are found: as they are, in JSON, in base64 or in hexadecimal. */
export class ErasureMarkers {
  private readonly byField = new Map<string, readonly string[]>();

  /** @param wrap puts the text into a form that the field allows */
  plant(field: string, wrap = (text: string): string => text): string {
    const core = `m4rk${randomBytes(12).toString('hex')}`;
    const text = wrap(core);
    // The core alone, too: a row's text escapes quotes once more.
    const forms = [...formsOf(core), ...formsOf(text)];
    this.byField.set(field, [...(this.byField.get(field) ?? []), ...forms]);
    return text;
  }

  get fields(): string[] {
    return [...this.byField.keys()].toSorted();
  }

  /** The fields whose texts occur, each once, in order. */
  foundIn(content: string): string[] {
    return this.fields.filter((field) => this.byField.get(field)!.some((form) => content.includes(form)));
  }
}

function formsOf(text: string): string[] {
  const bytes = Buffer.from(text);
  // The first and the last characters depend on the bytes beside the text.
  const base64 = ALIGNMENTS.map((before) =>
    Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .slice(before === 0 ? 0 : 4, -4),
  );
  const escaped = JSON.stringify(text).slice(1, -1);
  return [text, escaped, JSON.stringify(escaped).slice(1, -1), bytes.toString('hex'), ...base64];
}
