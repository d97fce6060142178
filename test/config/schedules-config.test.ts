import { schedulesConfig } from '../../src/config/schedules-config.ts';

const nightly = { id: 'nightly', action: 'validate', cron: '0 3 * * *' };
const read = (staging: unknown) => schedulesConfig.safeParse({ staging });
const wrong = (staging: unknown): string => read(staging).error?.issues[0]?.message ?? 'it was taken';

describe('schedules in the configuration', () => {
  it('need no more than a name, an action and a time; nothing is removed unless that is said', () => {
    expect(schedulesConfig.parse(undefined)).toEqual({});
    expect(read({ at: [nightly] }).data?.staging).toEqual({ at: [{ ...nightly, zone: 'UTC', quiet: false }] });
    expect(read({ keep: { newest: 7, days: 30 }, backupWithin: '26h' }).success).toBe(true);
  });

  it.each<[string, unknown, RegExp]>([
    ['a time that cannot be read', { at: [{ ...nightly, cron: '0 25 * * *' }] }, /25/],
    ['a time each minute', { at: [{ ...nightly, cron: '* * * * *' }] }, /at most every 5 minutes/],
    ['a zone that there is not', { at: [{ ...nightly, zone: 'Europe/Atlantis' }] }, /a time zone/],
    ['what changes data', { at: [{ ...nightly, action: 'migrate' }] }, /validate/],
    ['two of one name', { at: [nightly, { ...nightly, action: 'backup' }] }, /two have the same id/],
    ['a name that is none', { at: [{ ...nightly, id: 'Nightly <!here>' }] }, /lower-case/],
    ['to keep no set at all', { keep: { newest: 0, days: 30 } }, /1/],
    ['to keep sets for no time', { keep: { newest: 1, days: 0 } }, /1/],
    ['an age that is none', { backupWithin: 'a day' }, /write 90s/],
    ['a key that it does not know', { keeps: {} }, /keeps/],
  ])('are refused %s', (_, staging, says) => {
    expect(wrong(staging)).toMatch(says);
  });
});
