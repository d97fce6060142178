/** Text of at most `limit` UTF-16 units, ending in `…` when cut; never inside an entity, a mention or a pair. */
export function cut(text: string, limit: number): string {
  if (text.length <= limit) return text;
  let kept = text.slice(0, limit - 1);
  kept = kept.replace(/[\uD800-\uDBFF]$/, '');
  kept = kept.replace(/&[a-z]{0,4}$/, '');
  const opened = kept.lastIndexOf('<');
  if (opened > kept.lastIndexOf('>')) kept = kept.slice(0, opened);
  return `${kept}…`;
}
