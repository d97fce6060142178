import { answer } from '../../commands/answer.ts';
import type { CommandContext, Reply } from '../../commands/command.ts';
import { commands } from '../../commands/index.ts';
import { parseWords } from '../../commands/parse-words.ts';
import type { Person } from '../../src/runs/door.ts';
import type { Run } from '../../src/runs/run.ts';
import { Failure } from '../../src/shared/failure.ts';
import { fakeDesks } from '../fake-desks.ts';
import { alice, bob, carol, FakeDoor, mallory } from '../fake-door.ts';
import { sampleAdvice } from '../sample-advice.ts';
import { sampleRun, sampleStep } from '../sample-run.ts';

let door: FakeDoor;

function ask(line: string, person: Person = alice, show: CommandContext['show'] = null): Promise<Reply> {
  return answer(parseWords(line), { door, desks: fakeDesks(), person, show });
}

beforeEach(() => {
  door = new FakeDoor();
});

describe('asking for something that changes', () => {
  it('goes through the door with who, what, where and why', async () => {
    const reply = await ask('migrate space-isolation env:sandbox reason:“rollout”');
    expect(door.asked).toEqual([
      {
        action: 'migrate',
        environment: 'sandbox',
        subject: 'space-isolation',
        person: alice,
        reason: 'rollout',
        canary: null,
        window: null,
      },
    ]);
    expect(reply).toMatchObject({ kind: 'submitted', votesNeeded: 1, run: { status: 'planned' } });
  });

  it.each(['migrate space-isolation', 'backup', 'validate', 'status', 'restore set-1', 'backup list'])(
    'asks which environment when `%s` names none, even where production is the only one',
    async (line) => {
      door.environments = [{ name: 'production', production: true, channel: 'tas-platform' }];
      door.backupList = [
        { id: 'set-1', environment: 'production', createdAt: '', bytes: 1, systems: [], proven: null },
      ];
      const reply = await ask(line);
      expect(reply).toMatchObject({ kind: 'choose-environment', words: line });
      expect(door.asked).toEqual([]);
    },
  );

  it.each([
    ['migrat space-isolation env:sandbox', 'unknown-command', /Did you mean `migrate`/],
    ['migrate space-isolatoin env:sandbox', 'unknown-migration', /Did you mean `space-isolation`/],
    ['migrate space-isolation env:sandbx', 'unknown-environment', /Did you mean `sandbox`/],
    ['migrate env:sandbox', 'wrong-use', /needs more words/],
    ['migrate a b env:sandbox', 'wrong-use', /there is also `b`/],
    ['backup everything env:sandbox', 'wrong-use', /takes no names/],
    ['restore set-9 env:sandbox', 'unknown-backup', /no backup set of sandbox `set-9`/],
    ['rollback run-0000000009', 'unknown-run', /Did you mean `run-0000000001`/],
    ['help migrat', 'unknown-command', /Did you mean `migrate`/],
  ])('refuses %s as %s', async (line, code, message) => {
    door.add(sampleRun({ id: 'run-0000000001' }));
    await expect(ask(line)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    expect(door.asked).toEqual([]);
  });

  it('takes the environment of a rollback from the run, and refuses another one', async () => {
    const run = door.add(sampleRun({ status: 'done' }));
    await expect(ask(`rollback ${run.id} env:production`)).rejects.toThrow(/belongs to sandbox, not to production/);
    expect(await ask(`rollback ${run.id} way:undo`)).toMatchObject({ kind: 'submitted' });
    expect(door.asked).toMatchObject([{ action: 'rollback', environment: 'sandbox', subject: run.id }]);
  });

  it('shows the ways back before anything is asked for, and asks for the one that is named', async () => {
    const run = door.add(sampleRun({ status: 'done' }));
    expect(await ask(`rollback ${run.id}`)).toMatchObject({ kind: 'advice', advice: { run: { id: run.id } } });
    expect(door.asked).toEqual([]);
    expect(await ask(`rollback ${run.id} way:restore`)).toMatchObject({ kind: 'submitted' });
    expect(door.asked).toMatchObject([{ action: 'restore', subject: 'bak-20261120-095500-4f2a' }]);
    door.nextAdvice = sampleAdvice({ run, restores: [] });
    await expect(ask(`rollback ${run.id} way:restore`)).rejects.toMatchObject({ code: 'unknown-backup' });
    await expect(ask(`rollback ${run.id} way:back`)).rejects.toMatchObject({ code: 'wrong-use' });
  });

  it('asks for single conflicts by system, field and key, and refuses what names none', async () => {
    const run = door.add(sampleRun({ status: 'done' }));
    const take = 'take:graph:User.tenant_id:u:1';
    expect(await ask(`rollback ${run.id} ${take} take:objects:bucket.tag.tenant:a/b.c`)).toMatchObject({
      kind: 'submitted',
    });
    expect(door.asked).toMatchObject([
      {
        action: 'rollback',
        takes: [
          { system: 'graph', collection: 'User', field: 'tenant_id', key: 'u:1' },
          { system: 'objects', collection: 'bucket', field: 'tag.tenant', key: 'a/b.c' },
        ],
      },
    ]);
    for (const wrong of ['take:User.name:u-1', 'take:graph:User:u-1', `${take} way:restore`]) {
      await expect(ask(`rollback ${run.id} ${wrong}`)).rejects.toMatchObject({ code: 'wrong-use' });
    }
    expect(door.asked).toHaveLength(1);
  });

  it('plans without asking for anything, and lets anybody with a role look', async () => {
    expect(await ask('plan space-isolation env:sandbox canary:tenant_1', carol)).toMatchObject({ kind: 'preview' });
    expect(door.plansAsked).toEqual([
      { environment: 'sandbox', subject: 'space-isolation', canary: 'tenant_1', window: null, person: carol },
    ]);
    await expect(ask('plan space-isolatoin env:sandbox')).rejects.toMatchObject({ code: 'unknown-migration' });
    expect(await ask('plan space-isolation canary:t')).toMatchObject({
      kind: 'choose-environment',
      words: 'plan space-isolation canary:"t"',
    });
    expect(door.asked).toEqual([]);
  });

  it('hands the canary on, and takes no option that it would not heed', async () => {
    await ask('migrate space-isolation env:sandbox canary:tenant_1');
    expect(door.asked).toMatchObject([{ action: 'migrate', canary: 'tenant_1' }]);
    for (const line of ['backup env:sandbox canary:x', 'validate env:sandbox way:undo', 'runs take:a:B.c:d']) {
      await expect(ask(line)).rejects.toMatchObject({ code: 'wrong-use', message: expect.stringMatching(/takes no/) });
    }
  });

  it('ends a hold through the door', async () => {
    const run = door.add(sampleRun({ status: 'done' }));
    expect(await ask(`release ${run.id}`)).toMatchObject({ kind: 'submitted' });
    expect(door.asked).toMatchObject([{ action: 'release', environment: 'sandbox', subject: run.id }]);
  });

  it('restores a set that is there', async () => {
    door.backupList = [{ id: 'set-1', environment: 'sandbox', createdAt: '', bytes: 1, systems: [], proven: null }];
    expect(await ask('restore set-1 env:sandbox')).toMatchObject({ kind: 'submitted' });
    expect(await ask('backup list env:sandbox')).toMatchObject({ kind: 'backups', backups: [{ id: 'set-1' }] });
  });

  it('hands on what the door refuses', async () => {
    door.nextSubmission = { kind: 'refused', code: 'environment-busy', message: 'held', advice: 'wait', findings: [] };
    expect(await ask('backup env:sandbox')).toBe(door.nextSubmission);
  });
});

describe('rights', () => {
  it('refuses a person without a role whatever is asked, and says what to do', async () => {
    for (const { word } of commands) {
      const reply = await ask(word, mallory);
      expect(reply).toMatchObject({
        kind: 'refused',
        code: 'not-allowed',
        advice: expect.stringMatching(/add you to/),
      });
    }
    expect(door.asked).toEqual([]);
  });

  it.each([
    [
      carol,
      [
        'help',
        'status',
        'validate',
        'runs',
        'runbook',
        'checklist',
        'oncall',
        'maintenance',
        'schedule',
        'plan',
        'cancel',
        'dispute',
      ],
    ],
    [
      alice,
      [
        ...[
          'help',
          'status',
          'validate',
          'runs',
          'runbook',
          'oncall',
          'plan',
          'cancel',
          'dispute',
          'backup',
          'migrate',
          'restore',
          'rollback',
        ],
        'checklist',
        'maintenance',
        'schedule',
        'oncall',
        ...['break-glass', 'release', 'retry', 'keep', 'pause', 'resume', 'stop', 'slower', 'faster'],
      ],
    ],
    [
      bob,
      [
        'help',
        'status',
        'validate',
        'runs',
        'runbook',
        'checklist',
        'oncall',
        'maintenance',
        'schedule',
        'plan',
        'cancel',
        'dispute',
        'approve',
        'reject',
        'break-glass',
      ],
    ],
  ])('lets %o ask for no more than their role allows', async (person, allowed) => {
    for (const { word } of commands) {
      const reply = await ask(`${word} env:sandbox`, person).catch((error: { code: string }) => error);
      const refused = 'code' in reply && reply.code === 'not-allowed';
      expect([word, refused]).toEqual([word, !allowed.includes(word)]);
    }
  });
});

describe('voting', () => {
  it('prints the plan in a terminal and votes on the digest that it printed', async () => {
    const run = door.add(sampleRun());
    const shown: Run[] = [];
    const reply = await ask(`approve ${run.id}`, bob, (each) => shown.push(each));
    expect(shown).toEqual([run]);
    expect(door.votesAsked).toMatchObject([{ runId: run.id, digest: run.digest, choice: 'approve', person: bob }]);
    expect(reply).toMatchObject({ kind: 'voted', decision: 'approved' });
  });

  it('shows the card where there are buttons, and counts no vote', async () => {
    const run = door.add(sampleRun());
    expect(await ask(`approve ${run.id}`, bob)).toEqual({ kind: 'to-vote', run });
    expect(door.votesAsked).toEqual([]);
  });

  it('rejects with a reason only', async () => {
    const run = door.add(sampleRun());
    await expect(ask(`reject ${run.id}`, bob)).rejects.toMatchObject({ code: 'wrong-use' });
    expect(await ask(`reject ${run.id} reason:"not now"`, bob)).toMatchObject({ kind: 'voted', decision: 'rejected' });
    expect(door.votesAsked).toMatchObject([{ choice: 'reject', reason: 'not now' }]);
  });

  it('lists what waits for votes', async () => {
    door.add(sampleRun({ id: 'run-0000000001', status: 'done' }));
    const waiting = door.add(sampleRun({ id: 'run-0000000002' }));
    expect(await ask('approve', bob)).toEqual({ kind: 'runs', runs: [waiting], waiting: true });
  });
});

describe('parked runs', () => {
  it('are retried and kept through the door', async () => {
    door.add(sampleRun({ id: 'run-0000000001', status: 'parked' }));
    door.add(sampleRun({ id: 'run-0000000002', status: 'parked' }));
    expect(await ask('retry run-0000000001')).toMatchObject({ kind: 'retried', run: { status: 'running' } });
    expect(await ask('keep run-0000000002')).toMatchObject({ kind: 'kept', run: { status: 'closed' } });
    expect(await ask('keep run-0000000002')).toMatchObject({ kind: 'refused', code: 'stale' });
  });
});

describe('looking', () => {
  it('lists runs of all environments or of one, and shows one with its conflicts', async () => {
    const run = door.add(sampleRun());
    expect(await ask('runs', carol)).toMatchObject({ kind: 'runs', runs: [{ id: run.id }] });
    expect(await ask('runs env:production', carol)).toMatchObject({ kind: 'runs', runs: [] });
    expect(await ask(`runs ${run.id}`, carol)).toEqual({ kind: 'run', run, conflicts: { total: 0, conflicts: [] } });
  });

  it('helps even where a migration file is broken, and says which', async () => {
    const broken = { code: 'invalid-file' as const, message: 'x.yaml:3:5 is no migration.', advice: 'Mend it.' };
    door.migrations = async () => {
      throw new Failure(broken);
    };
    expect(await ask('help', carol)).toMatchObject({ kind: 'help', migrations: [], problem: broken });
    await expect(ask('migrate x env:sandbox')).rejects.toMatchObject(broken);
  });

  it('helps with what is open here: examples of the channel’s environment, runs with the next words, votes', async () => {
    door.environments = [
      { name: 'production', production: true, channel: 'tas-platform' },
      { name: 'staging', production: false, channel: 'tas-staging' },
    ];
    const mine = { requester: { id: alice.id, name: alice.name } };
    door.add(sampleRun({ ...mine, id: 'run-0000000001', status: 'parked' }));
    door.add(sampleRun({ ...mine, id: 'run-0000000002', status: 'planned' }));
    door.add(sampleRun({ ...mine, id: 'run-0000000003', status: 'done' }));
    const help = (person: Person, channel: string) =>
      answer(parseWords('help'), { door, desks: fakeDesks(), person, show: null, channel });
    const forAlice = await help(alice, 'tas-staging');
    if (forAlice.kind !== 'help') throw new Error('no help');
    expect(forAlice.here?.environments).toEqual(['staging']);
    expect(new Map(forAlice.here?.mine.map(({ run, next }) => [run.id, next]))).toEqual(
      new Map(
        [
          ['run-0000000001', ['retry', 'rollback', 'keep'].map((word) => `${word} run-0000000001`)],
          ['run-0000000002', ['cancel run-0000000002']],
        ].map(([id, next]) => [id as string, [`runs ${id}`, ...(next as string[])]]),
      ),
    );
    expect(forAlice.here?.toVote).toEqual([]);
    expect(await help(bob, 'general')).toMatchObject({
      here: {
        environments: [],
        all: ['production', 'staging'],
        mine: [],
        toVote: [{ next: ['approve run-0000000002'] }],
      },
    });
    expect(await help(carol, 'general')).toMatchObject({
      here: { toVote: [], notForYou: expect.arrayContaining(['migrate', 'approve']) },
    });
  });

  it('helps an approver with the vote on a step that was not voted on yet, and nobody with one that was', async () => {
    const at = '2026-11-20T10:00:00.000Z';
    const vote = { voter: { id: bob.id, name: bob.name }, choice: 'approve', digest: 'd', reason: null, at } as const;
    const paused = (votes: readonly (typeof vote)[]) => {
      const times = { askedAt: at, expiresAt: '2026-11-20T11:00:00.000Z' };
      const gate = {
        id: 7,
        step: sampleStep({ id: 'data.drop' }),
        digest: 'd',
        votesNeeded: 2,
        state: 'open' as const,
        ...times,
        votes,
      };
      const run = sampleRun({ status: 'paused' });
      return { ...run, votes: [vote], control: { ...run.control, gates: [gate], ballot: gate } };
    };
    door.add(paused([]));
    expect(await ask('help', bob)).toMatchObject({ here: { toVote: [{ next: ['approve run-01jd0a4ycz'] }] } });
    expect(await ask('help', carol)).toMatchObject({ here: { toVote: [] } });
    door.add(paused([vote]));
    expect(await ask('help', bob)).toMatchObject({ here: { toVote: [] } });
  });

  it('says that a dispute is settled, and shows who is still called; what the desk refuses is told', async () => {
    door.add(sampleRun({ id: 'run-0000000001' }));
    expect(await ask('oncall settled run-0000000001')).toMatchObject({
      kind: 'on-call',
      view: { environment: 'sandbox' },
    });
    await expect(ask('oncall settled')).rejects.toMatchObject({ code: 'wrong-use' });
    await expect(ask('oncall settled run-9')).rejects.toMatchObject({ code: 'unknown-run' });
    await expect(ask('oncall run-0000000001')).rejects.toMatchObject({ code: 'wrong-use' });
    const no = { kind: 'refused', code: 'not-allowed', message: 'no', advice: '', findings: [] } as const;
    const desks = fakeDesks({ oncall: { ...fakeDesks().oncall, settle: async () => no } });
    const words = parseWords('oncall settled run-0000000001');
    expect(await answer(words, { door, desks, person: carol, show: null })).toEqual(no);
  });

  it('helps where runs cannot be read', async () => {
    door.runs = async () => {
      throw new Failure({ code: 'unreachable', message: 'away', advice: 'Wait.' });
    };
    expect(await ask('help', carol)).toMatchObject({ kind: 'help', here: { mine: [], toVote: [] } });
  });

  it('helps with every command and with one', async () => {
    const reply = await ask('help', carol);
    expect(reply.kind === 'help' && reply.commands.map(({ word }) => word)).toEqual(commands.map(({ word }) => word));
    expect(await ask('help rollback', carol)).toMatchObject({ kind: 'help', commands: [{ word: 'rollback' }] });
  });
});
