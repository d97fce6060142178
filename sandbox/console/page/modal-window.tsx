import { type FormEvent, type ReactNode, useId, useState } from 'react';
import type { ViewEntry } from '../scene.ts';
import { type ActAnswer, ask } from './ask.ts';
import { BlockList } from './blocks/block-list.tsx';
import { wordsOf } from './blocks/mrkdwn-text.tsx';
import { isLoose, listOf } from './loose.ts';
import { SurfaceProvider } from './surface.ts';
import { useDialog } from './use-dialog.ts';
import { useTarget } from './use-target.tsx';

interface ModalProps {
  readonly person: string;
  readonly entry: ViewEntry;
  readonly say: (answer: ActAnswer) => void;
}

/** A modal of the app. Those below it in the stack stay drawn, and keep what was typed into them. */
export function ModalWindow({ person, entry, say }: ModalProps): ReactNode {
  const id = useId();
  const { view } = entry;
  const [errors, setErrors] = useState<Readonly<Record<string, string>>>({});
  const [busy, setBusy] = useState(false);
  const { surface, filled, dialog: confirm } = useTarget(person, { view: entry.id }, say);
  const leave = (): void => void ask(person, { do: 'close', view: entry.id }).then(say);
  const dialog = useDialog(leave);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (busy || !isLoose(view.submit)) return;
    setBusy(true);
    const answer = await ask(person, { do: 'submit', view: entry.id, filled: filled() });
    setBusy(false);
    setErrors(answer.errors ?? {});
    say(answer);
  };
  return (
    <dialog className="modal" aria-labelledby={`${id}-title`} {...dialog}>
      <form onSubmit={(event) => void submit(event)} noValidate>
        <div className="head">
          <span className="avatar bot" aria-hidden="true">
            T
          </span>
          <h2 id={`${id}-title`}>{wordsOf(view.title)}</h2>
          <button type="button" className="button bare" aria-label="Close window" onClick={leave}>
            ✕
          </button>
        </div>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard */}
        <section className="body" tabIndex={0} aria-label="Content">
          <SurfaceProvider value={{ ...surface, errorOf: (blockId) => errors[blockId] ?? null }}>
            <BlockList blocks={listOf(view.blocks)} />
          </SurfaceProvider>
        </section>
        <div className="foot">
          <button type="button" className="button" onClick={leave}>
            {wordsOf(view.close) || 'Cancel'}
          </button>
          {isLoose(view.submit) && (
            <button type="submit" className="button primary filled" aria-disabled={busy}>
              {wordsOf(view.submit)}
            </button>
          )}
        </div>
      </form>
      {confirm}
    </dialog>
  );
}
