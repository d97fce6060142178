import { groups } from '../slack/people.ts';
import { readable, renderMessage } from '../slack/render.ts';
import type { Message, SimulatedSlack } from '../slack/slack.ts';

/** What somebody sees who watches the channel, line by line with the time since the start. */
export interface Transcript {
  /** What a person does or says. */
  act(who: string, what: string): void;
  /** What only one person was shown. */
  shown(who: string, message: Message): void;
  note(text: string): void;
  claim(text: string, holds: boolean, detail?: string): void;
  heading(text: string): void;
  lines(): readonly string[];
  stop(): void;
}

/** Lines that are shown of a post, and of a reply in its thread. */
const mostLines = { post: 18, reply: 5 };

/** Writes every line as it comes; new messages of the channel by themselves, edits as one line when their phase changes. */
export function startTranscript(slack: SimulatedSlack, channel: string, write: (line: string) => void): Transcript {
  const started = performance.now();
  const lines: string[] = [];
  const seen = new Map<Message, string>();
  const say = (text: string): void => {
    lines.push(text);
    write(text);
  };
  const clock = (): string => {
    const seconds = Math.floor((performance.now() - started) / 1000);
    return `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`;
  };
  const entry = (who: string, text: string, most = mostLines.post): void => {
    const [first = '', ...rest] = cut(text.split('\n'), most);
    say(`${clock()}  ${who.padEnd(8)} ${first}`);
    for (const line of rest) say(`${' '.repeat(16)}${line}`);
  };
  const look = (): void => {
    for (const message of slack.messages(channel)) {
      const phase = phaseOf(message);
      if (!seen.has(message) && message.threadTs === null) entry('tas', renderMessage(message));
      else if (!seen.has(message)) entry('tas ↳', renderMessage(message), mostLines.reply);
      else if (seen.get(message) !== phase) entry('tas ✎', phase);
      seen.set(message, phase);
    }
  };
  slack.workspace.changes.on('change', look);
  return {
    act: (who, what) => entry(who, what),
    shown: (who, message) => entry(`→ ${who}`, renderMessage(message)),
    note: (text) => entry('·', text),
    claim: (text, holds, detail) =>
      say(`  ${holds ? '✓' : '✗'} ${text}${holds || detail === undefined ? '' : `\n      ${detail}`}`),
    heading(text) {
      say('');
      say(`── ${text} ${'─'.repeat(Math.max(0, 90 - text.length))}`);
    },
    lines: () => lines,
    stop: () => void slack.workspace.changes.off('change', look),
  };
}

/** The second line says the phase; a mention of a group is noise in a transcript. */
function phaseOf(message: Message): string {
  const [, second = ''] = renderMessage(message).split('\n');
  return second.replaceAll(`@${groups.approvers.handle}`, '').trim() || readable(message.text);
}

function cut(lines: readonly string[], most: number): readonly string[] {
  const short = lines.map((line) => (line.length > 170 ? `${line.slice(0, 168)} …` : line));
  if (short.length <= most) return short;
  return [...short.slice(0, most - 1), `… ${short.length - most + 1} more lines`];
}
