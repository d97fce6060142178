type Form = Intl.DateTimeFormatOptions;

const day: Form = { year: 'numeric', month: 'long', day: 'numeric' };
const forms: Readonly<Record<string, Form>> = {
  date_num: { year: 'numeric', month: '2-digit', day: '2-digit' },
  date: day,
  date_pretty: day,
  date_short: { ...day, month: 'short' },
  date_short_pretty: { ...day, month: 'short' },
  date_long: { ...day, weekday: 'long' },
  date_long_pretty: { ...day, weekday: 'long' },
  time: { hour: '2-digit', minute: '2-digit' },
  time_secs: { hour: '2-digit', minute: '2-digit', second: '2-digit' },
};

/** Slack's `<!date^…>` in the reader's own time zone; the fallback where its form is unknown. */
export function drawDate(seconds: number, format: string, fallback: string): string {
  const at = new Date(seconds * 1000);
  if (Number.isNaN(at.getTime())) return fallback;
  const names = [...format.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  if (names.length === 0 || names.some((name) => !Object.hasOwn(forms, name))) return fallback;
  return format.replaceAll(/\{(\w+)\}/g, (_, name: string) => new Intl.DateTimeFormat('en-GB', forms[name]).format(at));
}
