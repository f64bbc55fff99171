import type { Config } from '../config/load-config.js';
import { MasterKeys } from '../platform/payloads/master-keys.js';

const bytesOf = (base64: string): Buffer => Buffer.from(base64, 'base64');

export const masterKeysOf = (config: Config): MasterKeys =>
  new MasterKeys(bytesOf(config.PAYLOAD_MASTER_KEY), config.PAYLOAD_MASTER_KEYS_ACCEPTED.map(bytesOf));
