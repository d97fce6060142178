import type { ReactNode } from 'react';
import type { Loose } from '../../scene.ts';
import { ElementOf } from '../elements/element-of.tsx';
import { isLoose, listOf, textOf } from '../loose.ts';
import { InputBlock } from './input-block.tsx';
import { MarkdownText } from './markdown-text.tsx';
import { withoutForm } from './mrkdwn.ts';
import { TextObject, wordsOf } from './mrkdwn-text.tsx';
import { Picture } from './picture.tsx';
import { RichText } from './rich-text.tsx';

/** The blocks of a message or view, in their order. */
export function BlockList({ blocks }: { readonly blocks: readonly Loose[] }): ReactNode {
  const keys = keysOf(blocks);
  return (
    <div className="blocks">
      {blocks.map((block, at) => (
        <div className={`block ${textOf(block.type)}`} key={keys[at]}>
          <Block block={block} />
        </div>
      ))}
    </div>
  );
}

/**
 * Slack gives blocks without an id another one at each edit. What the app can tell apart stays what it is: who has the focus on
 * a button keeps it while the message around it changes.
 */
function keysOf(blocks: readonly Loose[]): string[] {
  const seen = new Map<string, number>();
  return blocks.map((block) => {
    const key = keyOf(block);
    const before = seen.get(key) ?? 0;
    seen.set(key, before + 1);
    return `${key} ${before}`;
  });
}

function keyOf(block: Loose): string {
  const type = textOf(block.type);
  const buttons = listOf(block.elements).map(({ action_id, value }) => `${textOf(action_id)} ${textOf(value)}`);
  if (type === 'actions') return `${type} ${buttons.join(' ')}`;
  return type === 'input' || isLoose(block.accessory) ? `${type} ${textOf(block.block_id)}` : type;
}

function Block({ block }: { readonly block: Loose }): ReactNode {
  switch (block.type) {
    case 'section':
      return <Section block={block} />;
    case 'header':
      return <h3>{wordsOf(block.text)}</h3>;
    case 'divider':
      return <hr />;
    case 'context':
      return listOf(block.elements).map((element, at) =>
        element.type === 'image' ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: elements of a context have no other name
          <Picture image={element} size="small" key={at} />
        ) : (
          // biome-ignore lint/suspicious/noArrayIndexKey: as above
          <TextObject value={element} key={at} />
        ),
      );
    case 'actions':
      return listOf(block.elements).map((element, at) => (
        <ElementOf element={element} blockId={textOf(block.block_id)} label="" key={textOf(element.action_id) || at} />
      ));
    case 'input':
      return <InputBlock block={block} />;
    case 'image':
      return <Picture image={block} size="whole" />;
    case 'rich_text':
      return <RichText elements={block.elements} />;
    case 'markdown':
      return <MarkdownText text={textOf(block.text)} />;
    default:
      return <p className="unknown">A block of type {textOf(block.type)} is not drawn here.</p>;
  }
}

function Section({ block }: { readonly block: Loose }): ReactNode {
  const fields = listOf(block.fields);
  const { accessory } = block as { readonly accessory?: Loose };
  const label = withoutForm(isLoose(block.text) ? textOf(block.text.text) : '').slice(0, 100);
  return (
    <>
      <div className="words">
        <TextObject value={block.text} />
        {fields.length > 0 && (
          <div className="fields">
            {fields.map((field, at) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: fields have no other name
              <div key={at}>
                <TextObject value={field} />
              </div>
            ))}
          </div>
        )}
      </div>
      {accessory && (
        <div className="accessory">
          {accessory.type === 'image' ? (
            <Picture image={accessory} size="small" />
          ) : (
            <ElementOf element={accessory} blockId={textOf(block.block_id)} label={label} />
          )}
        </div>
      )}
    </>
  );
}
