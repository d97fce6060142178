import { parseJson } from './body.ts';
import { isObject } from './limits/rules.ts';
import { commandPayload } from './payloads.ts';
import { type Member, slackbot } from './people.ts';
import { respond } from './response-urls.ts';
import { beginAct, endAct, type Outcome, type Stage } from './stage.ts';
import type { Channel } from './workspace.ts';

/** Types `/word text` into a channel. What the app answers in its acknowledgement is shown at once. */
export async function giveCommand(stage: Stage, member: Member, line: string, channel: Channel): Promise<Outcome> {
  const [, command, text = ''] = /^(\/\S+)\s*([\s\S]*)$/.exec(line.trim()) ?? [];
  if (!command) throw new Error(`“${line}” is no slash command`);
  if (!channel.members.has(member.id)) throw new Error(`${member.name} is not in #${channel.name}`);
  const handles = beginAct(stage, member, channel, null);
  const from = stage.workspace.messages.length;
  const payload = commandPayload(member, channel, { command, text }, handles);
  const acknowledgement = await stage.delivery.deliver('slash_commands', line, payload);
  const act = { acknowledgement, from, path: handles.path };
  const complain = (error: string): void =>
    showError(stage, member, channel, `${command} failed with the error "${error}"`);
  if (acknowledgement.error !== null) {
    complain(acknowledgement.error);
  } else if (acknowledgement.body !== '') {
    const answer = answerIn(acknowledgement.body);
    const ticket = { channel: channel.id, user: member.id, message: null };
    if (!respond(stage.workspace, ticket, handles.path, answer).ok) complain('invalid_command_response');
  }
  return endAct(stage, member, act);
}

/** The body of a command's acknowledgement: JSON, or a text to show. */
function answerIn(body: string): Readonly<Record<string, unknown>> {
  const parsed = parseJson(body);
  if (isObject(parsed)) return parsed;
  return { text: typeof parsed === 'string' ? parsed : body };
}

/** What Slackbot tells somebody alone when an app does not answer. */
export function showError(stage: Stage, member: Member, channel: Channel, text: string): void {
  stage.workspace.post({ channel: channel.id, user: slackbot, text, blocks: [], onlyFor: member.id });
}
