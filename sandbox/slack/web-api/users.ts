import { bot, groups, type Member, people, team } from '../people.ts';
import { done, fail, isTrue, type Method, page, textOf } from './call.ts';

function emailOf(member: Member): string {
  return `${member.name}@example.test`;
}

function userAsSlack(member: Member): Record<string, unknown> {
  const profile = {
    real_name: member.realName,
    display_name: member.name,
    real_name_normalized: member.realName,
    display_name_normalized: member.name,
    email: emailOf(member),
    team: team.id,
  };
  return {
    id: member.id,
    team_id: team.id,
    name: member.name,
    real_name: member.realName,
    deleted: false,
    tz: 'Europe/Berlin',
    tz_offset: 3600,
    is_admin: false,
    is_owner: false,
    is_restricted: false,
    is_ultra_restricted: false,
    is_bot: false,
    is_app_user: false,
    profile,
  };
}

const botUser: Record<string, unknown> = {
  ...userAsSlack({ id: bot.userId, name: bot.name, realName: bot.name }),
  is_bot: true,
  profile: { real_name: bot.name, display_name: bot.name, bot_id: bot.botId, api_app_id: bot.appId, team: team.id },
};

const everybody = [...Object.values(people).map(userAsSlack), botUser];

const info: Method = ({ fields }) => {
  const user = everybody.find(({ id }) => id === fields.user);
  return user ? done({ user }) : fail('user_not_found');
};

const list: Method = ({ fields }) => {
  const { items, next } = page(everybody, fields);
  return done({ members: items, cache_ts: 0, response_metadata: { next_cursor: next } });
};

const lookupByEmail: Method = ({ fields }) => {
  const member = Object.values(people).find((person) => emailOf(person) === textOf(fields, 'email').toLowerCase());
  return member ? done({ user: userAsSlack(member) }) : fail('users_not_found');
};

const listGroups: Method = ({ workspace, fields }) =>
  done({
    usergroups: Object.values(groups).map(({ id, handle }) => {
      const users = workspace.groups.get(id) ?? [];
      return {
        id,
        team_id: team.id,
        is_usergroup: true,
        is_subteam: true,
        name: handle,
        handle,
        description: '',
        date_delete: 0,
        ...(isTrue(fields, 'include_users') ? { users } : {}),
        ...(isTrue(fields, 'include_count') ? { user_count: users.length } : {}),
      };
    }),
  });

const listGroupUsers: Method = ({ workspace, fields }) => {
  const users = workspace.groups.get(textOf(fields, 'usergroup'));
  return users ? done({ users }) : fail('no_such_subteam');
};

export const userMethods: Readonly<Record<string, Method>> = {
  'users.info': info,
  'users.list': list,
  'users.lookupByEmail': lookupByEmail,
  'usergroups.list': listGroups,
  'usergroups.users.list': listGroupUsers,
};
