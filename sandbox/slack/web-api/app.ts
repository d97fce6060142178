import { bot, team } from '../people.ts';
import { done, fail, type Method, textOf } from './call.ts';

const test: Method = ({ fields }) => {
  const { token: _, ...args } = fields;
  const error = textOf(fields, 'error');
  return error === '' ? done({ args }) : fail(error, { args });
};

const authTest: Method = () =>
  done({
    url: `https://${team.domain}.slack.com/`,
    team: team.name,
    user: bot.name,
    team_id: team.id,
    user_id: bot.userId,
    bot_id: bot.botId,
    app_id: bot.appId,
    is_enterprise_install: false,
  });

export const appMethods: Readonly<Record<string, Method>> = {
  'api.test': test,
  'auth.test': authTest,
  'apps.connections.open': ({ socketUrl }) => done({ url: socketUrl() }),
};
