import { mostViewBytes, viewErrors } from '../limits/views.ts';
import { people } from '../people.ts';
import { deepestStack, type OpenView, type ViewContent, viewAsSlack } from '../views.ts';
import { type Answer, type Call, done, fail, failWith, jsonOf, type Method, missing, textOf } from './call.ts';

/** The view of a call, checked, or the refusal. `type` null = either. */
export function checkView(
  view: unknown,
  type: 'modal' | 'home' | null,
): { readonly refused: Answer } | { readonly content: ViewContent } {
  if (JSON.stringify(view ?? null).length > mostViewBytes) return { refused: fail('view_too_large') };
  const faults = viewErrors(view);
  if (faults.length > 0) return { refused: failWith('invalid_arguments', faults) };
  const content = view as ViewContent;
  if (type === null || content.type === type) return { content };
  return { refused: failWith('invalid_arguments', [`must be a ${type} view [json-pointer:/view/type]`]) };
}

function isTaken(call: Call, view: ViewContent, self: OpenView | null): boolean {
  const other = typeof view.external_id === 'string' ? call.views.byExternalId(view.external_id) : undefined;
  return other !== undefined && other !== self;
}

const openOrPush =
  (push: boolean): Method =>
  (call) => {
    const absent = missing(call.fields, 'trigger_id', 'view');
    if (absent) return absent;
    const checked = checkView(jsonOf(call.fields, 'view'), 'modal');
    if ('refused' in checked) return checked.refused;
    if (isTaken(call, checked.content, null)) return fail('duplicate_external_id');
    const trigger = call.triggers.take(textOf(call.fields, 'trigger_id'));
    if (typeof trigger === 'string') return fail(trigger);
    const below = call.views.stack(trigger.user);
    if (push && trigger.viewId === null) return fail('not_found');
    if (push && below.length >= deepestStack) return fail('push_limit_reached');
    return done({ view: viewAsSlack(call.views.open(trigger.user, checked.content, !push)) });
  };

const update: Method = (call) => {
  const { fields, views } = call;
  const id = textOf(fields, 'view_id');
  const open = id === '' ? views.byExternalId(textOf(fields, 'external_id')) : views.find(id);
  if (!open) return fail('not_found');
  const checked = checkView(jsonOf(fields, 'view'), open.view.type === 'home' ? 'home' : 'modal');
  if ('refused' in checked) return checked.refused;
  if (isTaken(call, checked.content, open)) return fail('duplicate_external_id');
  const hash = textOf(fields, 'hash');
  if (hash !== '' && hash !== open.hash) return fail('hash_conflict');
  views.update(open, checked.content);
  return done({ view: viewAsSlack(open) });
};

const publish: Method = (call) => {
  const { fields, views } = call;
  const absent = missing(fields, 'user_id', 'view');
  if (absent) return absent;
  const user = textOf(fields, 'user_id');
  if (!Object.values(people).some(({ id }) => id === user)) return fail('user_not_found');
  const checked = checkView(jsonOf(fields, 'view'), 'home');
  if ('refused' in checked) return checked.refused;
  const hash = textOf(fields, 'hash');
  if (hash !== '' && hash !== views.home(user)?.hash) return fail('hash_conflict');
  return done({ view: viewAsSlack(views.publish(user, checked.content)) });
};

export const viewMethods: Readonly<Record<string, Method>> = {
  'views.open': openOrPush(false),
  'views.push': openOrPush(true),
  'views.update': update,
  'views.publish': publish,
};
