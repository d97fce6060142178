import type { Logger as BoltLogger } from '@slack/bolt';
import type { Logger } from '../shared/logger.ts';

/** Bolt's words in our log. Debugging output is dropped: it holds whole payloads. */
export function createBoltLogger(logger: Logger): BoltLogger {
  const said = (parts: unknown[]): string =>
    parts.map((part) => (part instanceof Error ? part.message : String(part))).join(' ');
  return {
    debug: () => {},
    info: (...parts) => logger.debug(said(parts)),
    warn: (...parts) => logger.warn(said(parts)),
    error: (...parts) => logger.error(said(parts)),
    setLevel: () => {},
    getLevel: () => 'info' as ReturnType<BoltLogger['getLevel']>,
    setName: () => {},
  };
}
