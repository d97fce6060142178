import type { ReactNode } from 'react';

/** What Slack says when something did not work. The region is always there, so that it is read out when it fills. */
export function Toast({ text, close }: { readonly text: string | null; readonly close: () => void }): ReactNode {
  return (
    <div className="toast-place" role="status">
      {text !== null && (
        <p className="toast">
          {text}
          <button type="button" className="button bare" aria-label="Dismiss" onClick={close}>
            ✕
          </button>
        </p>
      )}
    </div>
  );
}
