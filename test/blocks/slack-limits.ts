/** Slack's documented limits over a message or modal as it would be sent, and nothing of the code under test. */
export function limitErrors(blocks: readonly object[], most: number): string[] {
  const errors: string[] = [];
  if (blocks.length > most) errors.push(`${blocks.length} blocks`);
  if (JSON.stringify(blocks).length > 13_200) errors.push(`${JSON.stringify(blocks).length} characters`);
  for (const block of blocks as Record<string, never>[]) check(block, errors);
  return errors;
}

type Loose = Record<string, unknown> & { type?: string; text?: unknown };

function check(block: Loose, errors: string[]): void {
  if (block.type === 'section') textIn(block.text as Loose, 3000, 'section', errors);
  if (block.type === 'context') {
    const elements = block.elements as Loose[];
    if (elements.length < 1 || elements.length > 10) errors.push(`${elements.length} context elements`);
    for (const element of elements) textIn(element, 3000, 'context', errors);
  }
  if (block.type === 'actions') {
    const elements = block.elements as Loose[];
    if (elements.length < 1 || elements.length > 25) errors.push(`${elements.length} buttons`);
    const ids = new Set(elements.map((element) => element.action_id));
    if (ids.size !== elements.length) errors.push('two buttons with one action_id');
    for (const element of elements) button(element, errors);
  }
  if (block.type === 'input') textIn(block.label as Loose, 2000, 'label', errors);
}

function button(element: Loose, errors: string[]): void {
  textIn(element.text as Loose, 75, 'button', errors);
  if (String(element.value).length > 2000) errors.push('button value');
  const confirm = element.confirm as Record<string, Loose> | undefined;
  if (confirm === undefined) return;
  textIn(confirm.title as Loose, 100, 'confirm title', errors);
  textIn(confirm.text as Loose, 300, 'confirm text', errors);
  textIn(confirm.confirm as Loose, 30, 'confirm', errors);
  textIn(confirm.deny as Loose, 30, 'deny', errors);
}

function textIn(text: Loose, most: number, where: string, errors: string[]): void {
  const length = String(text.text).length;
  if (length < 1 || length > most) errors.push(`${where} text of ${length}`);
}

/** Every text in there that Slack parses. */
export function mrkdwnTexts(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(mrkdwnTexts);
  if (value === null || typeof value !== 'object') return [];
  const { type, text } = value as Loose;
  if (type === 'mrkdwn') return [String(text)];
  return Object.values(value).flatMap(mrkdwnTexts);
}
