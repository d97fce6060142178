import { randomUUID } from 'node:crypto';
import { lookingMessage } from '../../blocks/notices.ts';
import { brokenMessage, refusedMessage } from '../../blocks/refused.ts';
import { runbookNote } from '../../blocks/runbook.ts';
import { answer, looksAtStores } from '../../commands/answer.ts';
import type { Reply } from '../../commands/command.ts';
import type { Desks } from '../../commands/desks.ts';
import { type FailureFacts, readFailureFacts } from '../../commands/failure-facts.ts';
import { commands } from '../../commands/index.ts';
import type { Door, Person } from '../runs/door.ts';
import type { ConflictReport, Run } from '../runs/run.ts';
import { needsRunbook } from '../runs/runbook.ts';
import type { Clock } from '../shared/clock.ts';
import { Failure } from '../shared/failure.ts';
import { whenSlow } from '../shared/when-slow.ts';
import { readArguments, type TerminalArguments } from './arguments.ts';
import { followRun } from './follow.ts';
import { messageText } from './message-text.ts';
import { outcomeText, planText, replyText } from './reply-text.ts';
import {
  brokenResult,
  type Exit,
  exitOfCode,
  exitOfRun,
  exits,
  type Result,
  refusedResult,
  replyResult,
  runResult,
} from './result.ts';

/** Where a terminal's words go and what comes back. */
interface Terminal {
  /** Opens the door for the person who acts. Throws `Failure`. */
  open(as: string | null): Promise<Opened>;
  out(text: string): void;
  err(text: string): void;
  /** Milliseconds without an answer after which `err` says that it takes a while; absent = nobody watches it. */
  readonly slowAfter?: number;
  readonly clock: Clock;
}

/** What the terminal works with once it knows who acts. */
interface Opened {
  readonly door: Door;
  readonly desks: Desks;
  readonly person: Person;
  close(): Promise<void>;
}

interface Outcome {
  readonly text: string;
  readonly result: Result;
  readonly exit: Exit;
}

const shownConflicts = 1_000;

/** Asks what the arguments say and prints the answer: as text, or with `--json` as exactly one object. Never throws. */
export async function runTerminal(values: readonly string[], terminal: Terminal): Promise<Exit> {
  const json = values.includes('--json');
  const outcome = await carryOut(values, terminal).catch((error: unknown) => broken(error, terminal));
  if (json) terminal.out(`${JSON.stringify(outcome.result)}\n`);
  else if (outcome.exit === exits.done || outcome.result.refusal === null) terminal.out(outcome.text);
  else terminal.err(outcome.text);
  return outcome.exit;
}

async function carryOut(values: readonly string[], terminal: Terminal): Promise<Outcome> {
  const given = readArguments(values);
  const opened = await terminal.open(given.as).catch((error: unknown) => {
    // Help needs nothing: it is what somebody asks for before there is a configuration.
    if (error instanceof Failure && given.words.word === 'help') return null;
    throw error;
  });
  if (opened === null) return replyOutcome({ kind: 'help', commands, migrations: [], problem: null }, terminal);
  try {
    return await ask(given, opened, terminal);
  } finally {
    await opened.close();
  }
}

async function ask(given: TerminalArguments, { door, desks, person }: Opened, terminal: Terminal): Promise<Outcome> {
  const progress = (text: string): void => terminal.err(text);
  const print = given.json ? progress : (text: string) => terminal.out(text);
  const show = (run: Run): void => print(planText(run, terminal.clock.now()));
  const asked = answer(given.words, { door, desks, person, show });
  const { words } = given;
  const tellLooking = (): void => progress(messageText(lookingMessage(words.word, words.names)));
  const isTold = terminal.slowAfter !== undefined && looksAtStores(words);
  const reply = await (isTold ? whenSlow(asked, terminal.slowAfter, tellLooking) : asked);
  if (!('run' in reply)) return replyOutcome(reply, terminal);
  const moves = ['submitted', 'voted', 'to-confirm', 'retried', 'controlled', 'run'].includes(reply.kind);
  if (!given.wait || !moves) return runOutcome(reply, door, terminal);
  print(replyText(reply, terminal.clock.now()));
  const begins = (run: Run): void => {
    if (needsRunbook(run.plan)) progress(messageText(runbookNote(desks.runbooks.of(run))));
  };
  const run = await followRun(door, reply.run, terminal.clock, (line) => progress(`${line}\n`), begins);
  const facts = run.status === 'parked' ? await readFailureFacts({ door, desks }, run) : null;
  return waitedOutcome(reply, run, door, terminal, facts);
}

function replyOutcome(reply: Exclude<Reply, { run: Run }>, terminal: Terminal): Outcome {
  const result = replyResult(reply);
  const exit = result.refusal === null ? exits.done : exitOfCode(result.refusal.code);
  return { text: replyText(reply, terminal.clock.now()), result, exit };
}

/** Without waiting: what was asked for is done, or it waits for votes. */
async function runOutcome(reply: Extract<Reply, { run: Run }>, door: Door, terminal: Terminal): Promise<Outcome> {
  const now = terminal.clock.now();
  const conflicts = reply.kind === 'run' ? reply.conflicts : await conflictsOf(door, reply.run);
  const settled =
    reply.kind === 'run' ||
    reply.kind === 'kept' ||
    reply.kind === 'controlled' ||
    (reply.kind === 'voted' && reply.choice === 'reject');
  const exit = settled ? exits.done : exitOfRun(reply.run);
  const result = runResult(reply.run, conflicts, now);
  if (reply.kind !== 'to-confirm') return { text: replyText(reply, now), result, exit };
  const { link, expiresAt } = reply;
  return { text: replyText(reply, now), result: { ...result, confirm: { link, expiresAt } }, exit };
}

async function waitedOutcome(
  reply: Extract<Reply, { run: Run }>,
  run: Run,
  door: Door,
  terminal: Terminal,
  facts: FailureFacts | null,
): Promise<Outcome> {
  const now = terminal.clock.now();
  const conflicts = await conflictsOf(door, run);
  // Saying no is done when it is said.
  const exit = reply.kind === 'voted' && reply.choice === 'reject' ? exits.done : exitOfRun(run);
  const text = run.status === 'planned' ? '' : outcomeText(run, conflicts, now, facts);
  return { text, result: runResult(run, conflicts, now), exit };
}

async function conflictsOf(door: Door, run: Run): Promise<ConflictReport> {
  if (run.plan.action !== 'rollback') return { total: 0, conflicts: [] };
  return door.conflicts(run.id, shownConflicts);
}

function broken(error: unknown, terminal: Terminal): Outcome {
  if (error instanceof Failure) {
    const exit = exitOfCode(error.code);
    return { text: messageText(refusedMessage(error)), result: refusedResult(error), exit };
  }
  const id = randomUUID().slice(0, 8);
  terminal.err(`${id} ${error instanceof Error ? error.stack : String(error)}\n`);
  return { text: messageText(brokenMessage(id)), result: brokenResult(id), exit: exits.failed };
}
