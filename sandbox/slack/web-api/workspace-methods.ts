import { viewErrors } from '../limits/blocks.ts';
import { bot, channels, groups, people, team } from '../people.ts';
import { directChannel, type OpenView } from '../workspace.ts';
import { type Call, done, fail, jsonOf, type Method, textOf } from './answer.ts';
import { asSlack } from './chat.ts';

const asUser = (member: { id: string; name: string; realName: string }): object => ({
  id: member.id,
  team_id: team.id,
  name: member.name,
  real_name: member.realName,
  is_bot: false,
  deleted: false,
  profile: { real_name: member.realName, display_name: member.name, email: `${member.name}@example.test` },
});

const asChannel = (channel: { id: string; name: string }): object => ({
  ...channel,
  is_channel: true,
  is_member: true,
  is_archived: false,
});

const history =
  (inThread: boolean): Method =>
  ({ workspace, fields }) => {
    const channel = workspace.channelId(textOf(fields, 'channel'));
    if (channel === null) return fail('channel_not_found');
    const ts = textOf(fields, 'ts');
    const found = workspace.messages.filter(
      (message) =>
        message.channel === channel &&
        !message.deleted &&
        message.onlyFor === null &&
        (inThread ? message.ts === ts || message.threadTs === ts : message.threadTs === null) &&
        message.ts >= (textOf(fields, 'oldest') || '0'),
    );
    const limit = Number(fields.limit ?? 100);
    const newestFirst = inThread ? found.slice(0, limit) : found.reverse().slice(0, limit);
    return done({ messages: newestFirst.map(asSlack), has_more: found.length > limit });
  };

const openView = (call: Call, id: string): ReturnType<Method> => {
  const { workspace, fields } = call;
  const view = jsonOf(fields, 'view') as OpenView['view'];
  const errors = viewErrors(view);
  if (errors.length > 0) return fail('invalid_arguments', { response_metadata: { messages: errors } });
  const existing = workspace.views.get(id);
  if (existing) {
    existing.view = view;
    workspace.changed();
    return done({ view: { id, ...view } });
  }
  const trigger = call.takeTrigger(textOf(fields, 'trigger_id'));
  if (typeof trigger === 'string') return fail(trigger);
  workspace.views.set(id, { id, user: trigger.user, view });
  workspace.changed();
  return done({ view: { id, ...view } });
};

let views = 0;
const newView: Method = (call) => {
  views += 1;
  return openView(call, `V${String(views).padStart(8, '0')}`);
};

export const workspaceMethods: Readonly<Record<string, Method>> = {
  'api.test': () => done(),
  'auth.test': () =>
    done({
      url: `https://${team.domain}.slack.com/`,
      team: team.name,
      team_id: team.id,
      user: bot.name,
      user_id: bot.userId,
      bot_id: bot.botId,
      app_id: bot.appId,
    }),
  'apps.connections.open': ({ socketUrl }) => done({ url: socketUrl }),
  'conversations.list': () => done({ channels: channels.map(asChannel), response_metadata: { next_cursor: '' } }),
  'conversations.info': ({ workspace, fields }) => {
    const id = workspace.channelId(textOf(fields, 'channel'));
    const channel = channels.find((candidate) => candidate.id === id);
    return channel ? done({ channel: asChannel(channel) }) : fail('channel_not_found');
  },
  'conversations.history': history(false),
  'conversations.replies': history(true),
  'conversations.join': () => done(),
  'conversations.open': ({ fields }) => done({ channel: { id: directChannel(textOf(fields, 'users')) } }),
  'users.info': ({ fields }) => {
    const found = Object.values(people).find(({ id }) => id === fields.user);
    return found ? done({ user: asUser(found) }) : fail('user_not_found');
  },
  'users.list': () => done({ members: Object.values(people).map(asUser), response_metadata: { next_cursor: '' } }),
  'usergroups.list': () => done({ usergroups: Object.values(groups) }),
  'usergroups.users.list': ({ workspace, fields }) => {
    const users = workspace.members.get(textOf(fields, 'usergroup'));
    return users ? done({ users }) : fail('no_such_subteam');
  },
  'views.open': newView,
  'views.push': newView,
  'views.update': (call) => {
    const id = textOf(call.fields, 'view_id');
    return call.workspace.views.has(id) ? openView(call, id) : fail('not_found');
  },
  'views.publish': (call) => {
    const user = textOf(call.fields, 'user_id');
    const view = jsonOf(call.fields, 'view') as OpenView['view'];
    const errors = viewErrors(view);
    if (errors.length > 0) return fail('invalid_arguments', { response_metadata: { messages: errors } });
    call.workspace.views.set(`home ${user}`, { id: `home ${user}`, user, view });
    call.workspace.changed();
    return done({ view });
  },
  'reactions.add': () => done(),
};
