import type { Window } from '../src/maintenance/window.ts';
import type { EnvironmentView, MigrationView, Preview, Refusal } from '../src/runs/door.ts';
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
import { sayUtc } from './say.ts';

/** The window in which people ask for something with choices. Blocks and actions of it have the same names. */
export const askModal = { callback: 'tas-ask-window' } as const;
/** Global shortcut, and the one on a message. */
export const shortcuts = { ask: 'tas-ask', showRun: 'tas-show-run' } as const;
export const askFields = ['action', 'environment', 'migration', 'window', 'canary', 'reason'] as const;
export type AskField = (typeof askFields)[number];
/** Choices that change what the window shows. */
export const anyChoice = /^choose-(action|environment|migration|window)$/;
export const migrationChoice = 'choose-migration';

export const askActions = ['migrate', 'validate', 'backup'] as const;
export type AskAction = (typeof askActions)[number];

const titles: Readonly<Record<AskAction, string>> = {
  migrate: 'Migrate the data model',
  validate: 'Validate the data',
  backup: 'Make a backup set',
};

/** What stands below the choices. */
export type AskPreview =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'looking'; readonly migration: string; readonly environment: string }
  | { readonly kind: 'plan'; readonly preview: Preview }
  | Refusal;

export interface AskView {
  readonly action: AskAction;
  readonly environments: readonly EnvironmentView[];
  /** Windows of the chosen environment in which the migration can start. */
  readonly windows: readonly Window[];
  readonly preview: AskPreview;
}

/** Choices, and below them what it would do as soon as environment and migration are chosen. Nothing is chosen beforehand. */
export function askWindow({ action, environments, windows, preview }: AskView): Modal {
  const migrates = action === 'migrate';
  const fields: Block[] = [
    select('action', 'What', askActions.map(actionOption), true, actionOption(action)),
    select('environment', 'Environment', environments.slice(0, limits.options).map(environmentOption), true),
    ...(migrates ? [migrationField(), ...windowField(windows), canaryField()] : []),
    reasonField(),
  ];
  const room = limits.characters - size(fields);
  return {
    type: 'modal',
    callback_id: askModal.callback,
    private_metadata: '',
    title: plainText('Ask TAS', limits.modalTitle),
    submit: plainText('Ask', limits.modalTitle),
    close: plainText('Cancel', limits.modalTitle),
    blocks: [...fields, ...fitting(migrates ? previewBlocks(preview) : [], room)],
  };
}

/** As it opens: nothing is chosen. */
export function openedAskWindow(environments: readonly EnvironmentView[]): Modal {
  return askWindow({ action: 'migrate', environments, windows: [], preview: { kind: 'nothing' } });
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

function select(
  field: AskField,
  label: string,
  options: readonly SelectOption[],
  tells: boolean,
  initial?: SelectOption,
): Input {
  return {
    type: 'input',
    block_id: field,
    label: plainText(label, 200),
    ...(tells ? { dispatch_action: true } : {}),
    element: {
      type: 'static_select',
      action_id: `choose-${field}`,
      placeholder: plainText('Choose', 150),
      options,
      ...(initial ? { initial_option: initial } : {}),
    },
  };
}

function migrationField(): Input {
  return {
    type: 'input',
    block_id: 'migration',
    label: plainText('Migration', 200),
    dispatch_action: true,
    element: {
      type: 'external_select',
      action_id: migrationChoice,
      placeholder: plainText('Type a part of its name', 150),
      min_query_length: 0,
    },
  };
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

function canaryField(): Input {
  return {
    type: 'input',
    block_id: 'canary',
    label: plainText('Canary', 200),
    hint: plainText('One tenant or user to whom it is done first; empty = everything.', 200),
    optional: true,
    element: { type: 'plain_text_input', action_id: 'type-canary', multiline: false, max_length: 80 },
  };
}

function reasonField(): Input {
  return {
    type: 'input',
    block_id: 'reason',
    label: plainText('Why', 200),
    hint: plainText('Whoever approves it reads this.', 200),
    optional: true,
    element: { type: 'plain_text_input', action_id: 'type-reason', multiline: true, max_length: 500 },
  };
}

function previewBlocks(preview: AskPreview): readonly Block[] {
  switch (preview.kind) {
    case 'nothing':
      return [context('Choose an environment and a migration: what it would do is shown here before you ask.')];
    case 'looking':
      return [
        section(`⏳ Looking at the stores of ${code(preview.environment)} for ${code(preview.migration)} …`),
        context('Nothing is written for it. You may ask without waiting: the card shows the same.'),
      ];
    case 'plan':
      return planMessage(preview.preview, 'card').blocks;
    case 'refused':
      return [
        section(`✗ *${ticked(preview.message)}*\n${ticked(preview.advice)}`),
        ...sections(preview.findings.filter(({ status }) => status === 'failed').flatMap(findingLines)),
        context(plain('Nothing was changed.')),
      ];
  }
}

function fitting(all: readonly Block[], characters: number): Block[] {
  const { blocks, left } = firstFitting(all, { places: limits.modalBlocks - 10, characters });
  return left === 0 ? blocks : [...blocks, context('… the card in the channel shows the rest')];
}
