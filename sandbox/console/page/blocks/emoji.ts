/** Slack's names of the emoji that operators meet most. */
const emoji: Readonly<Record<string, string>> = {
  '+1': '👍',
  '-1': '👎',
  alarm_clock: '⏰',
  arrow_right: '➡️',
  bar_chart: '📊',
  bell: '🔔',
  book: '📖',
  bulb: '💡',
  calendar: '📅',
  chart_with_upwards_trend: '📈',
  clipboard: '📋',
  clock1: '🕐',
  construction: '🚧',
  exclamation: '❗',
  eyes: '👀',
  fire: '🔥',
  floppy_disk: '💾',
  gear: '⚙️',
  hammer_and_wrench: '🛠️',
  heavy_check_mark: '✔️',
  hourglass: '⌛',
  hourglass_flowing_sand: '⏳',
  information_source: 'ℹ️',
  key: '🔑',
  large_blue_circle: '🔵',
  large_green_circle: '🟢',
  large_yellow_circle: '🟡',
  link: '🔗',
  lock: '🔒',
  memo: '📝',
  no_entry: '⛔',
  octagonal_sign: '🛑',
  package: '📦',
  pager: '📟',
  question: '❓',
  red_circle: '🔴',
  rewind: '⏪',
  rocket: '🚀',
  rotating_light: '🚨',
  shield: '🛡️',
  tada: '🎉',
  telephone_receiver: '📞',
  thumbsup: '👍',
  thumbsdown: '👎',
  unlock: '🔓',
  warning: '⚠️',
  wave: '👋',
  white_check_mark: '✅',
  wrench: '🔧',
  x: '❌',
  zap: '⚡',
};

/** The character, or the name between colons where there is none. */
export function drawEmoji(name: string): string {
  return Object.hasOwn(emoji, name) ? (emoji[name] as string) : `:${name}:`;
}

/** Names between colons in a plain text. */
export function withEmoji(text: string): string {
  return text.replaceAll(/:([a-z0-9_+-]{1,40}):/g, (_, name: string) => drawEmoji(name));
}
