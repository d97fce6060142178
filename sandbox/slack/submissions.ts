import { parseJson } from './body.ts';
import { type Choice, complaintAbout } from './choices.ts';
import { fill, filledIn } from './clicks.ts';
import { elementsOf } from './elements.ts';
import { isObject } from './limits/rules.ts';
import { closedPayload, type StateValues, submissionPayload } from './payloads.ts';
import type { Member } from './people.ts';
import { endAct, type Outcome, type Stage } from './stage.ts';
import { deepestStack, type OpenView } from './views.ts';
import { checkView } from './web-api/views.ts';

/** What a submission led to. */
export interface SubmitOutcome extends Outcome {
  /** What stands in red under the inputs, by block id; null = nothing. */
  readonly errors: Readonly<Record<string, string>> | null;
  /** True where the modal says that it had trouble connecting: no acknowledgement, or one that makes no sense. */
  readonly trouble: boolean;
  /** The modal that the person sees now; null = none. */
  readonly now: OpenView | null;
}

/** Fills a modal's inputs by action id (or block id) and submits it. Throws, as Slack refuses, when an input does not fit. */
export async function submit(
  stage: Stage,
  member: Member,
  open: OpenView,
  values: Readonly<Record<string, Choice>>,
): Promise<SubmitOutcome> {
  if (stage.views.stack(member.id).at(-1) !== open) throw new Error(`${member.name} does not see this modal`);
  fillAll(stage, member, open, values);
  const state = filledIn(stage, member, open);
  refuseIncomplete(open, state);
  const triggerId = stage.triggers.give({ user: member.id, viewId: open.id });
  const from = stage.workspace.messages.length;
  const what = `submit ${String(open.view.callback_id ?? open.id)}`;
  const acknowledgement = await stage.delivery.deliver(
    'interactive',
    what,
    submissionPayload(member, open, state, triggerId),
  );
  const result = acknowledgement.error === null ? follow(stage, member, open, acknowledgement.body) : 'trouble';
  return {
    ...endAct(stage, member, { acknowledgement, from, path: null }),
    errors: typeof result === 'object' ? result : null,
    trouble: result === 'trouble',
    now: stage.views.stack(member.id).at(-1) ?? null,
  };
}

/** Closes a modal with its X. The app hears of it when the view asks to be told; null = it was not told. */
export async function closeView(stage: Stage, member: Member, open: OpenView): Promise<Outcome | null> {
  const state = filledIn(stage, member, open);
  const isCleared = open.view.clear_on_close === true;
  if (isCleared) stage.views.clear(member.id);
  else stage.views.close(open);
  if (open.view.notify_on_close !== true) return null;
  const from = stage.workspace.messages.length;
  const payload = closedPayload(member, open, state, isCleared);
  const acknowledgement = await stage.delivery.deliver(
    'interactive',
    `close ${String(open.view.callback_id ?? open.id)}`,
    payload,
  );
  return endAct(stage, member, { acknowledgement, from, path: null });
}

function fillAll(stage: Stage, member: Member, open: OpenView, values: Readonly<Record<string, Choice>>): void {
  const elements = elementsOf(open.view.blocks);
  for (const [name, choice] of Object.entries(values)) {
    const element =
      elements.find(({ actionId }) => actionId === name) ?? elements.find(({ blockId }) => blockId === name);
    if (!element) throw new Error(`the modal has no input “${name}”`);
    fill(stage, member, open, { element, choice });
  }
}

function refuseIncomplete(open: OpenView, state: StateValues): void {
  const complaints = elementsOf(open.view.blocks).flatMap((element) => {
    const complaint = complaintAbout(element, state[element.blockId]?.[element.actionId]);
    return complaint ? [{ ...element, complaint }] : [];
  });
  if (complaints.length === 0) return;
  const cause = Object.fromEntries(complaints.map(({ blockId, complaint }) => [blockId, complaint]));
  throw new Error(complaints.map(({ label, complaint }) => `${label}: ${complaint}`).join('; '), { cause });
}

/** Does what the acknowledgement says. Answers errors by block, or whether it made sense. */
function follow(
  stage: Stage,
  member: Member,
  open: OpenView,
  body: string,
): 'done' | 'trouble' | Record<string, string> {
  const answer = body === '' ? {} : parseJson(body);
  if (!isObject(answer)) return 'trouble';
  const action = answer.response_action;
  if (action === undefined) {
    stage.views.close(open);
    return 'done';
  }
  if (action === 'clear') {
    stage.views.clear(member.id);
    return 'done';
  }
  if (action === 'errors') return errorsFor(open, answer.errors) ?? 'trouble';
  const checked = checkView(answer.view, 'modal');
  if ('refused' in checked || (action !== 'update' && action !== 'push')) return 'trouble';
  if (action === 'update') stage.views.update(open, checked.content);
  else if (stage.views.stack(member.id).length >= deepestStack) return 'trouble';
  else stage.views.open(member.id, checked.content, false);
  return 'done';
}

/** Null when they name blocks that are no inputs of the view: Slack then shows nothing but trouble. */
function errorsFor(open: OpenView, errors: unknown): Record<string, string> | null {
  if (!isObject(errors) || Object.keys(errors).length === 0) return null;
  const inputs = new Set(
    elementsOf(open.view.blocks)
      .filter(({ input }) => input)
      .map(({ blockId }) => blockId),
  );
  const fits = Object.entries(errors).every(([block, text]) => inputs.has(block) && typeof text === 'string');
  return fits ? (errors as Record<string, string>) : null;
}
