import { z } from 'zod';
import { isObject } from '../slack/limits/rules.ts';
import { type PersonName, people } from '../slack/people.ts';
import type { Message, OpenView, PersonInSlack, SimulatedSlack } from '../slack/slack.ts';
import { mentioning } from './mentioning.ts';

const text = z.string().max(40_000);
const id = z.string().min(1).max(300);
const element = z.strictObject({ blockId: id, actionId: id });
const choice = z.union([text, z.array(text).max(100)]);
const target = z.union([z.strictObject({ channel: id, ts: id }), z.strictObject({ view: id })]);
/** What stands in the inputs of a view and was not sent yet. */
const filled = z.array(z.strictObject({ element, choice })).max(100).default([]);

/** What the page asks for, in the name of the person whom it shows. */
export const actSchema = z.strictObject({
  person: z.enum(Object.keys(people) as [PersonName, ...PersonName[]]),
  act: z.discriminatedUnion('do', [
    z.strictObject({ do: z.literal('command'), channel: id, line: text }),
    z.strictObject({ do: z.literal('say'), channel: id, threadTs: id.nullable(), text }),
    z.strictObject({ do: z.literal('click'), target, element, filled }),
    z.strictObject({ do: z.literal('select'), target, element, choice, filled }),
    z.strictObject({ do: z.literal('suggest'), target, element, typed: text }),
    z.strictObject({ do: z.literal('submit'), view: id, filled }),
    z.strictObject({ do: z.literal('close'), view: id }),
    z.strictObject({ do: z.literal('shortcut'), callbackId: id, message: target.nullable() }),
    z.strictObject({ do: z.literal('home') }),
  ]),
});

export type Asked = z.input<typeof actSchema>;
export type Act = Asked['act'];
type CheckedAct = z.output<typeof actSchema>['act'];

/** What the person sees at once; what else follows comes with the scene. */
export interface ActAnswer {
  /** What Slack says where something was not possible; null = nothing. */
  readonly complaint: string | null;
  /** Red lines under inputs, by block id. */
  readonly errors?: Readonly<Record<string, string>>;
  readonly groups?: readonly {
    readonly label: string;
    readonly options: readonly Readonly<Record<string, unknown>>[];
  }[];
}

const noTrouble: ActAnswer = { complaint: null };

/** Does it as this person would in Slack. Throws what somebody cannot do there, such as clicking what he does not see. */
export function carryOut(slack: SimulatedSlack, { person, act }: z.output<typeof actSchema>): Promise<ActAnswer> {
  return 'target' in act ? actOnElement(slack, slack.as(person), act) : actInPlace(slack, slack.as(person), act);
}

type ElementAct = Extract<CheckedAct, { target: unknown }>;

async function actOnElement(slack: SimulatedSlack, who: PersonInSlack, act: ElementAct): Promise<ActAnswer> {
  const where = find(slack, who, act.target);
  if (act.do === 'suggest') {
    const { groups, trouble } = await who.suggest(where, act.element, act.typed);
    return { complaint: trouble ? 'The app offered nothing that fits.' : null, groups };
  }
  for (const entry of act.filled) who.fill(where, entry.element, entry.choice);
  return saysTrouble(
    act.do === 'click' ? await who.click(where, act.element) : await who.select(where, act.element, act.choice),
  );
}

async function actInPlace(
  slack: SimulatedSlack,
  who: PersonInSlack,
  act: Exclude<CheckedAct, ElementAct>,
): Promise<ActAnswer> {
  switch (act.do) {
    case 'command':
      return saysTrouble(await who.command(act.line, { channel: act.channel }));
    case 'say': {
      const options = { channel: act.channel, ...(act.threadTs === null ? {} : { threadTs: act.threadTs }) };
      await who.say(mentioning(act.text), options);
      return noTrouble;
    }
    case 'submit':
      return submit(who, viewOf(who, act.view), act.filled);
    case 'close':
      return saysTrouble(await who.close(viewOf(who, act.view)));
    case 'shortcut': {
      const message = act.message === null ? undefined : find(slack, who, act.message);
      if (message !== undefined && isView(message)) throw new Error('a shortcut is used on messages');
      return saysTrouble(await who.shortcut(act.callbackId, message));
    }
    default:
      return saysTrouble(await who.openHome());
  }
}

async function submit(
  who: PersonInSlack,
  view: OpenView,
  entries: Extract<CheckedAct, { do: 'submit' }>['filled'],
): Promise<ActAnswer> {
  for (const entry of entries) who.fill(view, entry.element, entry.choice);
  try {
    const { errors, trouble } = await who.submit(view);
    return { complaint: trouble ? 'We had some trouble connecting. Try again?' : null, ...(errors ? { errors } : {}) };
  } catch (error) {
    if (error instanceof Error && isObject(error.cause))
      return { complaint: null, errors: error.cause as Record<string, string> };
    throw error;
  }
}

function saysTrouble(outcome: { readonly error: string | null } | null): ActAnswer {
  return { complaint: outcome?.error ? `The app did not answer: ${outcome.error}.` : null };
}

function find(slack: SimulatedSlack, who: PersonInSlack, where: z.output<typeof target>): Message | OpenView {
  if ('view' in where) return viewOf(who, where.view);
  const message = slack.workspace.find(where.channel, where.ts);
  if (!message) throw new Error('This message is not there any more.');
  return message;
}

function viewOf(who: PersonInSlack, viewId: string): OpenView {
  const home = who.home();
  const view = [...who.views(), ...(home ? [home] : [])].find((open) => open.id === viewId);
  if (!view) throw new Error('This window is not open any more.');
  return view;
}

function isView(where: Message | OpenView): where is OpenView {
  return 'rootId' in where;
}
