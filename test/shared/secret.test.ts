import { Writable } from 'node:stream';
import { format, inspect } from 'node:util';
import { pino } from 'pino';
import { Secret } from '../../src/shared/secret.ts';

const value = 'hunter2-very-secret';
const secret = new Secret(value);
const holder = { database: { password: secret }, list: [secret] };

describe('a secret', () => {
  it('is revealed to who asks for it by name', () => {
    expect(secret.reveal()).toBe(value);
  });

  const prints: Record<string, () => string> = {
    template: () => `${secret}`,
    concatenation: () => `a${String(secret)}`,
    'String()': () => String(secret),
    JSON: () => JSON.stringify(holder),
    inspect: () => inspect(holder, { depth: 10, showHidden: true, getters: true }),
    'inspect without customisation': () => inspect(holder, { depth: 10, showHidden: true, customInspect: false }),
    'format %s %o %j': () => format('%s %o %O %j', secret, secret, secret, secret),
    'an error message': () => new Error(`no ${secret}`).stack ?? '',
    keys: () => JSON.stringify([Object.keys(secret), Object.entries(secret), Object.getOwnPropertyNames(secret)]),
    copy: () => JSON.stringify({ ...secret }),
    'structured clone': () => JSON.stringify(structuredClone(secret)),
  };

  it.each(Object.entries(prints))('does not show itself by %s', (_name, print) => {
    expect(print()).not.toContain(value);
  });

  it('does not show itself in a log line', () => {
    let written = '';
    const sink = new Writable({
      write(chunk, _encoding, done) {
        written += String(chunk);
        done();
      },
    });
    pino(sink).info(holder, 'starting');
    expect(written).toContain('starting');
    expect(written).not.toContain(value);
  });
});
