import { type ReactNode, useId } from 'react';
import type { Loose } from '../scene.ts';
import { TextObject, wordsOf } from './blocks/mrkdwn-text.tsx';
import { useDialog } from './use-dialog.ts';

/** Asks before a click counts. */
export function ConfirmWindow(props: {
  readonly confirm: Loose;
  readonly close: (agreed: boolean) => void;
}): ReactNode {
  const { confirm, close } = props;
  const id = useId();
  const dialog = useDialog(() => close(false));
  const danger = confirm.style === 'danger';
  return (
    <dialog className="confirm" aria-labelledby={`${id}-title`} aria-describedby={`${id}-text`} {...dialog}>
      <h2 id={`${id}-title`}>{wordsOf(confirm.title)}</h2>
      <p id={`${id}-text`}>
        <TextObject value={confirm.text} />
      </p>
      <div className="foot">
        <button type="button" className="button" onClick={() => close(false)}>
          {wordsOf(confirm.deny) || 'Cancel'}
        </button>
        <button type="button" className={`button ${danger ? 'danger' : 'primary'} filled`} onClick={() => close(true)}>
          {wordsOf(confirm.confirm) || 'Yes'}
        </button>
      </div>
    </dialog>
  );
}
