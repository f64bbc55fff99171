/** A span in the JSON encoding of OTLP, with the fields that a tree shows. */
export interface TraceSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status?: { readonly code?: number };
}

interface ExportRequest {
  readonly resourceSpans?: readonly { readonly scopeSpans?: readonly { readonly spans?: readonly TraceSpan[] }[] }[];
}

/** OTLP's STATUS_CODE_ERROR. */
const STATUS_ERROR = 2;
const NANOSECONDS_PER_MS = 1_000_000;

/** The spans of one trace in the lines of an OTLP JSON file; a line cut short by a crash is skipped. */
export function spansOf(text: string, traceId: string): TraceSpan[] {
  return text
    .split('\n')
    .filter((line) => line.includes(traceId))
    .flatMap(requestOf)
    .flatMap(({ resourceSpans = [] }) => resourceSpans)
    .flatMap(({ scopeSpans = [] }) => scopeSpans)
    .flatMap(({ spans = [] }) => spans)
    .filter((span) => span.traceId === traceId);
}

function requestOf(line: string): ExportRequest[] {
  try {
    return [JSON.parse(line) as ExportRequest];
  } catch {
    return [];
  }
}

/** One line per span: its start within the trace, its duration, and its name, indented below its parent. */
export function renderTrace(spans: readonly TraceSpan[]): string {
  const ordered = [...spans].sort((a, b) => Number(BigInt(a.startTimeUnixNano) - BigInt(b.startTimeUnixNano)));
  const ids = new Set(ordered.map(({ spanId }) => spanId));
  const isRoot = ({ parentSpanId }: TraceSpan): boolean => !parentSpanId || !ids.has(parentSpanId);
  const origin = BigInt(ordered[0]?.startTimeUnixNano ?? 0);
  const lines: string[] = [];
  const render = (span: TraceSpan, depth: number): void => {
    const startMs = Number(BigInt(span.startTimeUnixNano) - origin) / NANOSECONDS_PER_MS;
    const tookMs = Number(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)) / NANOSECONDS_PER_MS;
    const failed = span.status?.code === STATUS_ERROR ? '  !' : '';
    lines.push(`${column(startMs)} ${column(tookMs)}  ${'  '.repeat(depth)}${span.name}${failed}`);
    for (const child of ordered) if (child.parentSpanId === span.spanId) render(child, depth + 1);
  };
  for (const span of ordered.filter(isRoot)) render(span, 0);
  return [`trace ${ordered[0]?.traceId ?? ''}: ${ordered.length} spans`, ' start ms   took ms', ...lines].join('\n');
}

const column = (ms: number): string => ms.toFixed(2).padStart(9);
