import { bot } from '../people.ts';
import { type Answer, type Call, done, fail, jsonOf, type Method, missing, textOf } from './call.ts';
import { contentOf } from './content.ts';

const getUploadUrl: Method = ({ uploads, baseUrl, fields }) => {
  const absent = missing(fields, 'filename', 'length');
  if (absent) return absent;
  const length = Number(fields.length);
  if (!Number.isInteger(length) || length < 1) return fail('invalid_arguments');
  const upload = uploads.announce(textOf(fields, 'filename'), length);
  return done({ upload_url: `${baseUrl()}/upload/${upload.id}`, file_id: upload.id });
};

/** Files without a channel stay private to the bot. */
const complete: Method = (call) => {
  const wanted = jsonOf(call.fields, 'files');
  if (!Array.isArray(wanted) || wanted.length === 0) return fail('invalid_arguments');
  const files: { id: string; name: string; title: string }[] = [];
  for (const { id, title } of wanted as { id?: string; title?: string }[]) {
    const upload = call.uploads.find(id ?? '');
    if (!upload?.content) return fail('file_not_found');
    files.push({ id: upload.id, name: upload.name, title: title ?? upload.name });
  }
  const channelId = textOf(call.fields, 'channel_id') || textOf(call.fields, 'channels');
  return channelId === '' ? done({ files }) : share(call, channelId, files);
};

function share(call: Call, channelId: string, files: readonly { id: string; name: string; title: string }[]): Answer {
  const channel = /^[CD]/.test(channelId) ? call.workspace.channel(channelId) : null;
  if (!channel) return fail('channel_not_found');
  if (!channel.members.has(bot.userId)) return fail('not_in_channel');
  const text = textOf(call.fields, 'initial_comment') || files.map(({ title }) => title).join(', ');
  const content = contentOf({ ...call.fields, text });
  if ('refused' in content) return content.refused;
  const threadTs = textOf(call.fields, 'thread_ts') || null;
  call.workspace.post({ channel: channel.id, user: bot.userId, threadTs, files, ...content });
  return done({ files });
}

export const fileMethods: Readonly<Record<string, Method>> = {
  'files.getUploadURLExternal': getUploadUrl,
  'files.completeUploadExternal': complete,
};
