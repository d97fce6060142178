import { answer } from '../../commands/answer.ts';
import type { Reply } from '../../commands/command.ts';
import { parseWords } from '../../commands/parse-words.ts';
import type { ScheduleRequest, WindowRequest } from '../../src/maintenance/maintenance-desk.ts';
import { fakeDesks } from '../fake-desks.ts';
import { alice, FakeDoor } from '../fake-door.ts';
import { sampleWindow } from '../maintenance/sample-window.ts';

let asked: [string, ScheduleRequest | WindowRequest | string | null][];

function ask(line: string): Promise<Reply> {
  const reply = { window: sampleWindow(), note: null };
  const take = (verb: string) => async (request: ScheduleRequest | WindowRequest) => {
    asked.push([verb, request]);
    return reply;
  };
  const maintenance = {
    schedule: take('schedule'),
    start: take('start'),
    end: take('end'),
    cancel: take('cancel'),
    async list(environment: string | null) {
      asked.push(['list', environment]);
      return [sampleWindow()];
    },
  };
  return answer(parseWords(line), {
    door: new FakeDoor(),
    desks: fakeDesks({ maintenance }),
    person: alice,
    show: null,
  });
}

beforeEach(() => {
  asked = [];
});

describe('/tas maintenance', () => {
  it('plans a window with all that was said', async () => {
    const reply = await ask(
      'maintenance schedule env:production from:"2026-11-24 02:00" for:2h tz:Europe/Berlin migration:space-isolation reason:“a new model”',
    );
    expect(reply).toMatchObject({ kind: 'window', window: { id: 'win-0a1b2c3d' } });
    expect(asked).toEqual([
      [
        'schedule',
        {
          environment: 'production',
          from: '2026-11-24 02:00',
          length: '2h',
          zone: 'Europe/Berlin',
          migration: 'space-isolation',
          reason: 'a new model',
          person: alice,
        },
      ],
    ]);
  });

  it('begins one that nobody has planned, and one that somebody has', async () => {
    await ask('maintenance start env:sandbox for:30m reason:"disk"');
    await ask('maintenance start env:sandbox');
    await ask('maintenance end win-0a1b2c3d');
    await ask('maintenance cancel win-0a1b2c3d env:sandbox reason:"not needed"');
    const named = { id: 'win-0a1b2c3d', person: alice };
    expect(asked).toEqual([
      ['schedule', expect.objectContaining({ from: null, length: '30m', zone: null, migration: null })],
      ['start', { id: null, environment: 'sandbox', reason: null, person: alice }],
      ['end', { ...named, environment: null, reason: null }],
      ['cancel', { ...named, environment: 'sandbox', reason: 'not needed' }],
    ]);
  });

  it('lists all, or those of one environment', async () => {
    expect(await ask('maintenance list')).toMatchObject({ kind: 'windows', windows: [{}] });
    await ask('maintenance list env:production');
    expect(asked).toEqual([
      ['list', null],
      ['list', 'production'],
    ]);
  });

  it.each(['maintenance start', 'maintenance end', 'maintenance schedule from:"2026-11-24 02:00" for:2h reason:"x"'])(
    'asks in which environment: %s',
    async (line) => {
      expect(await ask(line)).toMatchObject({ kind: 'choose-environment' });
      expect(asked).toEqual([]);
    },
  );

  it.each([
    ['maintenance', /needs more words/],
    ['maintenance shedule env:sandbox', /Did you mean `schedule`/],
    ['maintenance schedule env:sandbox for:2h reason:"x"', /`from:"2026-11-24 02:00"` is missing/],
    ['maintenance schedule env:sandbox from:"2026-11-24 02:00" reason:"x"', /`for:2h` is missing/],
    ['maintenance schedule env:sandbox from:"2026-11-24 02:00" for:2h', /`reason:"…"` is missing/],
    ['maintenance schedule win-1 env:sandbox', /takes no window/],
    ['maintenance end env:sandbox for:2h', /takes no `for:`/],
    ['maintenance list from:"2026-11-24 02:00"', /takes no `from:`/],
    ['maintenance schedule env:sandbox canary:x from:"2026-11-24 02:00" for:2h reason:"x"', /takes no `canary:`/],
    [
      'maintenance schedule env:sandbox from:"2026-11-24 02:00" for:2h migration:space-isolaton reason:"x"',
      /Did you mean/,
    ],
    ['migrate space-isolation env:sandbox from:"2026-11-24 02:00"', /takes no `from:`/],
  ])('refuses %s', async (line, message) => {
    await expect(ask(line)).rejects.toMatchObject({ message: expect.stringMatching(message) });
    expect(asked).toEqual([]);
  });
});
