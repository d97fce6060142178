import type { Window } from '../src/maintenance/window.ts';
import type { Advice } from '../src/runs/advice.ts';
import type { EnvironmentView, MigrationView, Preview, Refusal } from '../src/runs/door.ts';
import type { ConflictReport } from '../src/runs/run.ts';
import { adviceMessage } from './advice.ts';
import { select, suggested, written } from './choices.ts';
import { cut } from './cut.ts';
import { bare, code, plain, ticked } from './escape.ts';
import { findingLines } from './findings.ts';
import { firstFitting, size } from './fit.ts';
import {
  type Block,
  context,
  type Input,
  limits,
  type Modal,
  plainText,
  type SelectOption,
  section,
  sections,
} from './message.ts';
import { planMessage } from './plan-view.ts';
import { rollbackFields } from './rollback-fields.ts';
import { conflictLine } from './rollback-report.ts';
import { sayUtc } from './say.ts';

/** The window in which people ask for something with choices. Blocks and actions of it have the same names. */
export const askModal = { callback: 'tas-ask-window', title: 'Ask TAS' } as const;
/** Global shortcuts, and the one on a message. */
export const shortcuts = { ask: 'tas-ask', status: 'tas-status', showRun: 'tas-show-run' } as const;
export const askFields = ['action', 'environment', 'migration', 'window', 'canary', 'run', 'way', 'reason'] as const;
export type AskField = (typeof askFields)[number];
/** The field of which several may be chosen. */
export const takeField = 'take';
/** Choices that change what the window shows. */
export const anyChoice = /^choose-(action|environment|migration|window|run)$/;
export const migrationChoice = 'choose-migration';
export const runChoice = 'choose-run';

export const askActions = ['migrate', 'rollback', 'validate', 'backup'] as const;
export type AskAction = (typeof askActions)[number];

const titles: Readonly<Record<AskAction, string>> = {
  migrate: 'Migrate the data model',
  rollback: 'Roll a run back',
  validate: 'Validate the data',
  backup: 'Make a backup set',
};

/** What stands below the choices. */
export type AskPreview =
  | { readonly kind: 'nothing' }
  /** `subject`: a migration or a run. */
  | { readonly kind: 'looking'; readonly subject: string; readonly environment: string }
  | { readonly kind: 'plan'; readonly preview: Preview }
  | { readonly kind: 'advice'; readonly advice: Advice }
  /** The run was undone: what its undo kept may be taken. */
  | { readonly kind: 'kept'; readonly by: string; readonly report: ConflictReport }
  | Refusal;

export interface AskView {
  readonly action: AskAction;
  /** Those that the person may ask for. */
  readonly actions: readonly AskAction[];
  readonly environments: readonly EnvironmentView[];
  /** The one that is chosen, whose runs are offered; null = none yet. */
  readonly environment: string | null;
  /** Windows of the chosen environment in which the migration can start. */
  readonly windows: readonly Window[];
  readonly preview: AskPreview;
}

/** Choices, and below them what it would do as soon as all is chosen that this takes. Nothing is chosen beforehand. */
export function askWindow({ action, actions, environments, environment, windows, preview }: AskView): Modal {
  const fields: Block[] = [
    select('action', 'What', actions.map(actionOption), true, actionOption(action)),
    select('environment', 'Environment', environments.slice(0, limits.options).map(environmentOption), true),
    ...ownFields(action, windows, preview),
    written('reason', 'Why', 'Whoever approves it reads this.', 500, true),
  ];
  const room = limits.characters - size(fields);
  const shows = action === 'migrate' || action === 'rollback';
  return {
    type: 'modal',
    callback_id: askModal.callback,
    // Lists that are asked for while somebody types come with this, and not with what is chosen.
    private_metadata: cut(environment ?? '', limits.optionValue),
    title: plainText(askModal.title, limits.modalTitle),
    submit: plainText('Ask', limits.modalTitle),
    close: plainText('Cancel', limits.modalTitle),
    blocks: [...fields, ...fitting(shows ? previewBlocks(preview) : [], room)],
  };
}

/** As it opens: nothing is chosen. */
export function openedAskWindow(
  environments: readonly EnvironmentView[],
  actions: readonly AskAction[],
  action: AskAction,
): Modal {
  return askWindow({ action, actions, environments, environment: null, windows: [], preview: { kind: 'nothing' } });
}

/** What only this asks. */
function ownFields(action: AskAction, windows: readonly Window[], preview: AskPreview): readonly Block[] {
  switch (action) {
    case 'migrate':
      return [
        suggested('migration', 'Migration', 'Type a part of its name'),
        ...windowField(windows),
        written('canary', 'Canary', 'One tenant or user to whom it is done first; empty = everything.', 80),
      ];
    case 'rollback':
      return rollbackFields(preview.kind === 'kept' ? preview.report : null);
    case 'validate':
    case 'backup':
      return [];
  }
}

/** Migrations whose id or title holds what was typed; those that begin with it first. */
export function migrationOptions(migrations: readonly MigrationView[], typed: string): readonly SelectOption[] {
  const wanted = typed.trim().toLowerCase();
  const rank = ({ id, title }: MigrationView): number =>
    id.toLowerCase().startsWith(wanted) ? 0 : `${id} ${title}`.toLowerCase().includes(wanted) ? 1 : 2;
  return migrations
    .filter((migration) => rank(migration) < 2 && migration.id.length <= limits.optionText)
    .toSorted((one, other) => rank(one) - rank(other) || one.id.localeCompare(other.id))
    .slice(0, limits.options)
    .map(({ id, title }) => ({
      text: plainText(bare(id, limits.optionText), limits.optionText),
      description: plainText(bare(title, limits.optionText) || id, limits.optionText),
      value: id,
    }));
}

function actionOption(action: AskAction): SelectOption {
  return { text: plainText(titles[action], limits.optionText), value: action };
}

function environmentOption({ name, production }: EnvironmentView): SelectOption {
  const label = production ? `${bare(name, 60)} (production)` : bare(name, limits.optionText);
  return { text: plainText(label, limits.optionText), value: cut(name, limits.optionValue) };
}

/** Without windows nothing is asked: it starts once it is approved. */
function windowField(windows: readonly Window[]): Input[] {
  if (windows.length === 0) return [];
  const options = windows.slice(0, limits.options).map(({ id, from, to }) => ({
    text: plainText(`${sayUtc(from)} – ${sayUtc(to)} (${id})`, limits.optionText),
    value: cut(id, limits.optionValue),
  }));
  const hint = 'Without one it starts once it is approved, or in the window that it is bound to.';
  return [{ ...select('window', 'Maintenance window', options, true), hint: plainText(hint, 200), optional: true }];
}

function previewBlocks(preview: AskPreview): readonly Block[] {
  switch (preview.kind) {
    case 'nothing':
      return [context('Choose where and what: what it would do is shown here before you ask.')];
    case 'looking':
      return [
        section(`⏳ Looking at the stores of ${code(preview.environment)} for ${code(preview.subject)} …`),
        context('Nothing is written for it. You may ask without waiting: the card shows the same.'),
      ];
    case 'plan':
      return planMessage(preview.preview, 'card').blocks;
    case 'advice':
      return adviceMessage(preview.advice, null).blocks;
    case 'kept':
      return keptBlocks(preview);
    case 'refused':
      return [
        section(`✗ *${ticked(preview.message)}*\n${ticked(preview.advice)}`),
        ...sections(preview.findings.filter(({ status }) => status === 'failed').flatMap(findingLines)),
        context(plain('Nothing was changed.')),
      ];
  }
}

function keptBlocks({ by, report }: Extract<AskPreview, { kind: 'kept' }>): readonly Block[] {
  if (report.conflicts.length === 0) return [section(`It was undone by ${code(by)}, which kept nothing.`)];
  const more = report.total - report.conflicts.length;
  return [
    ...sections([`*${code(by)} undid it and kept:*`, ...report.conflicts.map(conflictLine)]),
    context(
      `${more > 0 ? `… and ${more} more: ${code(`/tas runs ${by}`)}. ` : ''}What you take is undone all the same, once another person approved it.`,
    ),
  ];
}

function fitting(all: readonly Block[], characters: number): Block[] {
  const { blocks, left } = firstFitting(all, { places: limits.modalBlocks - 10, characters });
  return left === 0 ? blocks : [...blocks, context('… the card in the channel shows the rest')];
}
