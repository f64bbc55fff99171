import { Injectable } from '@nestjs/common';

import { SealedTexts } from '../platform/payloads/sealed-texts.js';
import { type Endpoint, endpointSchema } from './endpoint.js';

/** Whose endpoint it is: a webhook's, or that of a single execution. */
export type EndpointOf = { readonly webhookId: string } | { readonly executionId: string };

/** Endpoints in the form that events hold. */
@Injectable()
export class EndpointSeals {
  constructor(private readonly texts: SealedTexts) {}

  /** @throws DomainError `owner_erased`; Unavailable */
  seal(ownerId: string, of: EndpointOf, endpoint: Endpoint): Promise<string> {
    return this.texts.seal(ownerId, contextOf(of), JSON.stringify(endpoint));
  }

  /** @returns null if the owner has been erased. @throws Unavailable */
  async open(ownerId: string, of: EndpointOf, sealed: string): Promise<Endpoint | null> {
    const text = await this.texts.open(ownerId, contextOf(of), sealed);
    return text === null ? null : endpointSchema.parse(JSON.parse(text));
  }
}

const contextOf = (of: EndpointOf): string =>
  'webhookId' in of ? `webhook ${of.webhookId}` : `webhook of execution ${of.executionId}`;
