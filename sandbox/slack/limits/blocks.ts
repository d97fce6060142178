import { accessories, actionElements, image, inputElements } from './elements.ts';
import {
  among,
  anything,
  byType,
  type Fields,
  fault,
  flag,
  isObject,
  list,
  type Rule,
  shape,
  string,
} from './rules.ts';
import { anyText, blockId, imageFields, plainText } from './texts.ts';

/** Most characters of all blocks of a message, in JSON; measured on Slack, not documented. */
const mostCharacters = 13_200;
const mostMarkdown = 12_000;

const textOrFields: Rule = (value, at, faults) => {
  if (isObject(value) && value.text === undefined && value.fields === undefined) {
    faults.push(fault('missing required field: text or fields', at));
  }
};

const eitherImage: Rule = (value, at, faults) => {
  if (isObject(value) && (value.image_url === undefined) === (value.slack_file === undefined)) {
    faults.push(fault('must provide either image_url or slack_file', at));
  }
};

const richText = shape(
  { type: string(100), elements: list(anything, 1000, 0) },
  { style: anything, indent: anything, border: anything },
);

const block: Rule = byType({
  section: shape(
    { type: among('section') },
    {
      block_id: blockId,
      text: anyText(3000),
      fields: list(anyText(2000), 10),
      accessory: byType(accessories),
      expand: flag,
    },
    textOrFields,
  ),
  header: shape({ type: among('header'), text: plainText(150) }, { block_id: blockId }),
  divider: shape({ type: among('divider') }, { block_id: blockId }),
  context: shape(
    {
      type: among('context'),
      elements: list(byType({ ...image, plain_text: anyText(3000), mrkdwn: anyText(3000) }), 10),
    },
    { block_id: blockId },
  ),
  actions: shape({ type: among('actions'), elements: list(byType(actionElements), 25) }, { block_id: blockId }),
  input: shape(
    { type: among('input'), label: plainText(2000), element: byType(inputElements) },
    { block_id: blockId, hint: plainText(2000), optional: flag, dispatch_action: flag },
  ),
  image: shape(
    imageFields.required,
    { ...imageFields.optional, block_id: blockId, title: plainText(2000) },
    eitherImage,
  ),
  markdown: shape({ type: among('markdown'), text: string(mostMarkdown) }, { block_id: blockId }),
  rich_text: shape({ type: among('rich_text'), elements: list(richText, 1000) }, { block_id: blockId }),
});

/** What Slack says of these blocks, a line for each fault; empty = it takes them. `most` is 50 in a message, 100 in a view. */
export function blockErrors(blocks: unknown, most: 50 | 100, at = '/blocks'): string[] {
  const faults: string[] = [];
  list(block, most, 0)(blocks, at, faults);
  if (!Array.isArray(blocks)) return faults;
  const known = blocks.filter(isObject);
  addDoubled(known, 'block_id', at, faults);
  known.forEach((entry, index) => {
    addDoubled(elementsIn(entry), 'action_id', `${at}/${index}`, faults);
  });
  const markdown = known.filter(({ type }) => type === 'markdown').map(({ text }) => String(text).length);
  if (markdown.reduce((total, length) => total + length, 0) > mostMarkdown) {
    faults.push(fault(`markdown blocks must be less than ${mostMarkdown + 1} characters in all`, at));
  }
  if (most === 50 && areTooLong(blocks))
    faults.push(fault(`must be less than ${mostCharacters + 1} characters in all`, at));
  return faults;
}

/** Whether a message's blocks are more than Slack takes in all. */
export function areTooLong(blocks: unknown): boolean {
  return JSON.stringify(blocks).length > mostCharacters;
}

/** The elements of one block: of an actions block, a section's accessory, an input's element. */
export function elementsIn(entry: Fields): Fields[] {
  const elements = entry.type === 'actions' && Array.isArray(entry.elements) ? entry.elements : [];
  return [...elements, entry.accessory, entry.type === 'input' ? entry.element : undefined].filter(isObject);
}

function addDoubled(entries: readonly Fields[], name: string, at: string, faults: string[]): void {
  const seen = new Set<unknown>();
  for (const entry of entries) {
    const value = entry[name];
    if (value !== undefined && seen.has(value)) faults.push(fault(`\`${name}\` "${String(value)}" already exists`, at));
    seen.add(value);
  }
}
