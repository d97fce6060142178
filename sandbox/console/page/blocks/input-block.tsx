import { type ReactNode, useId } from 'react';
import type { Loose } from '../../scene.ts';
import { ElementOf } from '../elements/element-of.tsx';
import { isLoose, textOf } from '../loose.ts';
import { SurfaceProvider, useSurface } from '../surface.ts';
import { wordsOf } from './mrkdwn-text.tsx';

/** An input with its label, hint, and what is wrong with it. */
export function InputBlock({ block }: { readonly block: Loose }): ReactNode {
  const id = useId();
  const blockId = textOf(block.block_id);
  const surface = useSurface();
  const error = surface.errorOf(blockId);
  const dispatches = block.dispatch_action === true;
  const hint = wordsOf(block.hint);
  const label = wordsOf(block.label);
  const element = isLoose(block.element) ? block.element : {};
  const described = [error === null ? '' : `${id}-error`, hint === '' ? '' : `${id}-hint`].filter(
    (name) => name !== '',
  );
  return (
    <div className={error === null ? 'input' : 'input wrong'}>
      <span className="label" id={`${id}-label`}>
        {label}
        {block.optional === true && <span className="quiet"> (optional)</span>}
      </span>
      <SurfaceProvider value={dispatches ? surface : { ...surface, choose: surface.put }}>
        <ElementOf
          element={element}
          blockId={blockId}
          label={label}
          labelledBy={`${id}-label`}
          describedBy={described.join(' ')}
          required={block.optional !== true}
          wrong={error !== null}
          dispatches={dispatches}
        />
      </SurfaceProvider>
      {error !== null && (
        <span className="error" id={`${id}-error`} role="alert">
          {error}
        </span>
      )}
      {hint !== '' && (
        <span className="hint" id={`${id}-hint`}>
          {hint}
        </span>
      )}
    </div>
  );
}
