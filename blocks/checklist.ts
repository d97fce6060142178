import type { Part } from '../src/checklists/checklist-item.ts';
import type { ChecklistView, ItemView } from '../src/checklists/checklist-view.ts';
import { runLink } from './beside.ts';
import { boxes, button, type Tokens } from './button.ts';
import { bare, code, mentionUser, plain } from './escape.ts';
import { fitCard } from './fit.ts';
import {
  actions,
  type Block,
  type BoxOption,
  context,
  limits,
  type Message,
  type Modal,
  plainText,
  section,
  sections,
} from './message.ts';
import { sayUtc } from './say.ts';

/** Boxes that stand together: those of one part that a person may tick. */
export interface BoxGroup {
  readonly part: Part;
  readonly items: readonly ItemView[];
}

/** What the message needs of whoever shows it. */
export interface ChecklistTools {
  /** One a group of boxes, in their order; empty = no boxes: lines, as for a terminal. */
  readonly boxes: readonly string[];
  readonly buttons: Tokens;
  /** Of the run's own message; null = not known. */
  readonly link: string | null;
}

const titles: Readonly<Record<Part, string>> = { before: 'Before', during: 'During', after: 'After' };
const gateWords = {
  start: 'before the start',
  'services-up': 'before services come up',
  end: 'before the end',
} as const;
/** Lines in one section: where not all of them fit, what is left out is small. */
const linesTogether = 10;

/** What a person may tick now, by part, in groups that Slack takes. What gated and is behind the run is no box any more. */
export function boxGroups(view: ChecklistView, all: boolean): readonly BoxGroup[] {
  return partsOf(view).flatMap(({ part, items, done }) => {
    if (done && !all) return [];
    const forPeople = items.filter(isBox);
    const count = Math.ceil(forPeople.length / limits.boxes);
    return Array.from({ length: count }, (_, index) => ({
      part,
      items: forPeople.slice(index * limits.boxes, (index + 1) * limits.boxes),
    }));
  });
}

/** The one message of a run's checklist: parts that are done fold up, and what does not fit is behind the button. */
export function checklistMessage(view: ChecklistView, tools: ChecklistTools): Message {
  const headline = headlineOf(view);
  return fitCard({
    text: headline,
    head: [section(`*${headline}*${waitsLine(view)}`)],
    body: bodyOf(view, tools, false),
    tail: [context(footnote(view, tools)), ...actions([button('checklist', tools.buttons)])],
    rest: '“Show all”',
  });
}

/** All of it as a window, nothing folded. */
export function checklistWindow(view: ChecklistView, tools: ChecklistTools): Modal {
  const blocks = [section(`*${headlineOf(view)}*${waitsLine(view)}`), ...bodyOf(view, tools, true)];
  return {
    type: 'modal',
    callback_id: 'tas-checklist',
    private_metadata: '',
    title: plainText('Checklist', limits.modalTitle),
    close: plainText('Close', 24),
    blocks: [...blocks.slice(0, limits.modalBlocks - 1), context(footnote(view, tools))],
  };
}

/** All of it as lines, with the ids that `checklist tick` takes. */
export function checklistLines(view: ChecklistView): Message {
  const tools: ChecklistTools = { boxes: [], buttons: {}, link: null };
  const headline = headlineOf(view);
  return {
    text: headline,
    blocks: [section(`*${headline}*${waitsLine(view)}`), ...bodyOf(view, tools, true), context(footnote(view, tools))],
  };
}

interface PartView {
  readonly part: Part;
  readonly items: readonly ItemView[];
  readonly done: boolean;
}

function partsOf({ items }: ChecklistView): PartView[] {
  return (['before', 'during', 'after'] as const)
    .map((part) => ({ part, items: items.filter((item) => item.part === part) }))
    .filter((each) => each.items.length > 0)
    .map((each) => ({ ...each, done: each.items.every(({ state }) => state !== 'open') }));
}

function isBox({ who, state, passed }: ItemView): boolean {
  return who !== null && !(passed && state === 'ticked');
}

function bodyOf(view: ChecklistView, tools: ChecklistTools, all: boolean): Block[] {
  const groups = boxGroups(view, all);
  return partsOf(view).flatMap(({ part, items, done }) => {
    const title = `*${titles[part]}* · ${tally(items)}`;
    const none = items.every(({ state }) => state === 'absent');
    if (done && !all) return [section(none ? `∅ *${titles[part]}* · not part of this run` : `✓ ${title}`)];
    const shown = tools.boxes.length > 0;
    const lines = items
      .filter((item) => item.state !== 'absent' && !(shown && isBox(item)))
      .map((item) => itemLine(item, tools));
    const absent = items.filter(({ state }) => state === 'absent').map(({ text }) => plain(text, limits.boxText));
    return [
      section(title),
      ...groups.flatMap((group, index) => (group.part === part ? boxBlock(group, index, tools.boxes[index]) : [])),
      ...chunks(lines, linesTogether).flatMap((some) => sections(some)),
      ...(absent.length === 0 ? [] : [context(`∅ not part of this run: ${absent.join(' · ')}`)]),
    ];
  });
}

function boxBlock({ items }: BoxGroup, index: number, token: string | undefined): Block[] {
  if (token === undefined) return [];
  const options = items.map((item, place): BoxOption => {
    const text = bare(item.text, limits.boxText).trim();
    const description = bare(boxWords(item), limits.boxText).trim();
    return {
      text: plainText(text === '' ? item.id : text, limits.boxText),
      ...(description === '' ? {} : { description: plainText(description, limits.boxText) }),
      value: String(place),
    };
  });
  return [
    boxes(
      index,
      token,
      options,
      options.filter((_, index) => items[index]?.state === 'ticked'),
    ),
  ];
}

/** Under a box: who ticked it and when, or whose tick it takes and what waits for it. */
function boxWords({ state, by, at, who, gates, lost }: ItemView): string {
  if (state === 'ticked') return `${by?.name ?? ''}, ${sayUtc(at ?? '')}`;
  const waits = gates === 'nothing' ? '' : ` · the run waits for it ${gateWords[gates]}`;
  return `${who ?? ''}${waits}${lost ? ` · taken back by ${by?.name ?? ''}` : ''}`;
}

function itemLine(item: ItemView, { boxes: tokens, link }: ChecklistTools): string {
  const { text, state, by, at, who, note, lost, gates } = item;
  const mark = state === 'ticked' ? '✓' : lost ? '⚠' : '☐';
  const notes = [
    ...(who !== null && tokens.length === 0 ? [code(item.id, 40)] : []),
    ...(who !== null && state === 'open' ? [who] : []),
    ...(lost && by !== null ? [`taken back by ${mentionUser(by.id)}`] : []),
    ...(note === '' ? [] : [plain(note, 160)]),
    ...(state === 'ticked' && by !== null ? [mentionUser(by.id)] : []),
    ...(at === null || state !== 'ticked' ? [] : [linkedTime(at, link)]),
    ...(state === 'open' && gates !== 'nothing' ? [`the run waits for it ${gateWords[gates]}`] : []),
  ];
  return `${mark} ${plain(text, limits.boxText)}${notes.length === 0 ? '' : ` · ${notes.join(' · ')}`}`;
}

/** In the reader's own zone, and leading to the run's message where that is known. */
function linkedTime(iso: string, link: string | null): string {
  const seconds = Math.floor(new Date(iso).getTime() / 1000);
  if (!Number.isFinite(seconds)) return plain(sayUtc(iso), 60);
  return `<!date^${seconds}^{date_short_pretty} {time}${link === null ? '' : `^${link}`}|${sayUtc(iso)}>`;
}

function headlineOf(view: ChecklistView): string {
  return `Checklist · ${plain(view.environment, 60).toUpperCase()} · ${plain(view.title, 120)} · ${tally(view.items)}`;
}

function tally(items: readonly ItemView[]): string {
  const part = items.filter(({ state }) => state !== 'absent');
  return `${part.filter(({ state }) => state === 'ticked').length} of ${part.length}`;
}

function waitsLine({ items, waitsAt }: ChecklistView): string {
  if (waitsAt === null) return '';
  const named = items
    .filter(({ state, gates }) => state === 'open' && gates === waitsAt)
    .map(({ text }) => plain(text, limits.boxText));
  const more = named.length > 5 ? ` and ${named.length - 5} more` : '';
  return named.length === 0
    ? ''
    : `\n⏸ *The run waits ${gateWords[waitsAt]} for:* ${named.slice(0, 5).join(' · ')}${more}`;
}

function footnote({ runId }: ChecklistView, { link }: ChecklistTools): string {
  const run = runLink(runId, link);
  return `${run} · the bot ticks what it sees by itself`;
}

function chunks<T>(values: readonly T[], length: number): T[][] {
  return Array.from({ length: Math.ceil(values.length / length) }, (_, index) =>
    values.slice(index * length, (index + 1) * length),
  );
}
