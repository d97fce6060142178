import { type Logger as PinoLogger, pino } from 'pino';

export type Logger = Pick<PinoLogger, 'info' | 'warn' | 'error' | 'debug' | 'child'>;

/** Structured logging to standard error. Fields whose names speak of secrets are removed before writing. */
export function createLogger(level: string): Logger {
  return pino(
    {
      level,
      redact: {
        paths: ['password', 'secret', 'token', 'key', '*.password', '*.secret', '*.token', '*.key'],
        remove: true,
      },
    },
    pino.destination(2),
  );
}
