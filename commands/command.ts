import type { ChecklistView } from '../src/checklists/checklist-view.ts';
import type { Toggle } from '../src/checklists/decide.ts';
import type { Window } from '../src/maintenance/window.ts';
import type { OnCallView } from '../src/oncall/on-call-desk.ts';
import type { Advice } from '../src/runs/advice.ts';
import type {
  BackupView,
  Confirmable,
  ControlWord,
  Door,
  EnvironmentStatus,
  EnvironmentView,
  MigrationView,
  Person,
  Preview,
  Refusal,
  Role,
  Submission,
} from '../src/runs/door.ts';
import type { ConflictReport, Run } from '../src/runs/run.ts';
import type { Runbook } from '../src/runs/runbook.ts';
import type { ScheduleChange, ScheduleView } from '../src/schedules/schedule-desk.ts';
import type { FailureReport } from '../src/shared/failure.ts';
import type { Desks } from './desks.ts';
import type { ExtraOption, ParsedWords } from './parse-words.ts';

/** What a command works with. It holds no driver and knows neither Slack nor the terminal. */
export interface CommandContext {
  readonly door: Door;
  readonly desks: Desks;
  readonly person: Person;
  /** Shows a plan before it is voted on; null where people vote with buttons on a card, which shows it. */
  readonly show: ((run: Run) => void) | null;
  /** The name of the channel where it was asked, without #; absent = in no channel. */
  readonly channel?: string | null;
}

/** What help says about the place and the person that ask. */
export interface HelpHere {
  /** Those whose channel this is. */
  readonly environments: readonly string[];
  /** Whatever the channel: what `env:` may name. */
  readonly all: readonly string[];
  readonly roles: readonly Role[];
  /** Commands that none of these roles may ask. */
  readonly notForYou: readonly string[];
  /** Open runs that the person asked for, with what can be said next. */
  readonly mine: readonly { readonly run: Run; readonly next: readonly string[] }[];
  /** Runs of others that wait for votes; whether this person’s counts is judged at the vote. */
  readonly toVote: readonly { readonly run: Run; readonly next: readonly string[] }[];
}

/** One thing that a person may ask. To add one: a file beside this, with a line in index.ts and a test. */
export interface Command {
  readonly word: string;
  /** The whole line as it is typed after `/tas`. */
  readonly usage: string;
  /** One line, no full stop. */
  readonly summary: string;
  readonly examples: readonly string[];
  /** Who may ask; the door has the last word. */
  readonly roles: readonly Role[];
  /** It asks every store before it answers: that may take many seconds, and people are told. */
  readonly looks?: true;
  /** Options beside `env:` and `reason:` that it takes. */
  readonly options?: readonly ExtraOption[];
  /** Expected outcomes are replies. Throws a `Failure` on wrong use and on unknown names. */
  run(words: ParsedWords, context: CommandContext): Promise<Reply>;
}

export type CommandText = Pick<Command, 'word' | 'usage' | 'summary' | 'examples'>;

/** Every answer that a command gives; Slack and the terminal render each kind. */
export type Reply =
  | {
      readonly kind: 'help';
      readonly commands: readonly CommandText[];
      readonly migrations: readonly MigrationView[];
      /** Why the migrations could not be listed. */
      readonly problem: FailureReport | null;
      /** Absent when help is about one command, or nothing is known of who asks. */
      readonly here?: HelpHere;
    }
  /** `words` is the command to be asked again with `env:<name>` behind it. */
  | { readonly kind: 'choose-environment'; readonly words: string; readonly environments: readonly EnvironmentView[] }
  | Extract<Submission, { kind: 'nothing-to-do' }>
  | { readonly kind: 'preview'; readonly preview: Preview }
  | { readonly kind: 'advice'; readonly advice: Advice }
  | { readonly kind: 'submitted'; readonly run: Run; readonly votesNeeded: number }
  | Refusal
  /** The approval counts once the person who asked has followed the link. */
  | Confirmable
  | { readonly kind: 'voted'; readonly run: Run; readonly choice: 'approve' | 'reject'; readonly decision: Decision }
  /** The run to vote on, with buttons: nobody signs what was not shown. */
  | { readonly kind: 'to-vote'; readonly run: Run }
  /** The same, for who breaks the glass. */
  | { readonly kind: 'to-break-glass'; readonly run: Run; readonly reason: string; readonly vetoMinutes: number }
  | { readonly kind: 'retried'; readonly run: Run }
  | { readonly kind: 'controlled'; readonly what: ControlWord; readonly run: Run }
  | { readonly kind: 'kept'; readonly run: Run }
  | { readonly kind: 'status'; readonly status: EnvironmentStatus }
  | { readonly kind: 'runs'; readonly runs: readonly Run[]; readonly waiting: boolean }
  | { readonly kind: 'run'; readonly run: Run; readonly conflicts: ConflictReport }
  | { readonly kind: 'window'; readonly window: Window; readonly note: string | null }
  | { readonly kind: 'windows'; readonly windows: readonly Window[] }
  | { readonly kind: 'schedule'; readonly view: ScheduleView; readonly done: 'add' | ScheduleChange }
  | { readonly kind: 'schedules'; readonly schedules: readonly ScheduleView[] }
  /** `called`: who helps; null = it is not known. */
  | { readonly kind: 'runbook'; readonly runbook: Runbook; readonly called: OnCallView | null }
  | { readonly kind: 'on-call'; readonly view: OnCallView }
  /** `changed`: what was ticked or unticked just now; empty = it stood so already; null = it was only looked at. */
  | { readonly kind: 'checklist'; readonly view: ChecklistView; readonly changed: readonly Toggle[] | null }
  | { readonly kind: 'backups'; readonly environment: string; readonly backups: readonly BackupView[] };

type Decision = 'wait' | 'approved' | 'rejected';

export const everyone: readonly Role[] = ['viewer', 'operator', 'approver'];
export const operators: readonly Role[] = ['operator'];
export const approvers: readonly Role[] = ['approver'];
