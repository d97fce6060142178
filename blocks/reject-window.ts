import type { Run } from '../src/runs/run.ts';
import { rejectModal } from './button.ts';
import { plain } from './escape.ts';
import { type Modal, plainText, section } from './message.ts';
import { sayHeadline } from './say.ts';

/** Asks why not. `token` is the reject button's own. */
export function rejectWindow(run: Run, token: string): Modal {
  return {
    type: 'modal',
    callback_id: rejectModal.callback,
    private_metadata: token,
    title: plainText('Reject', 24),
    submit: plainText('Reject', 24),
    close: plainText('Cancel', 24),
    blocks: [
      section(`*${plain(sayHeadline(run))}*`),
      {
        type: 'input',
        block_id: rejectModal.block,
        label: plainText('Why not? The requester will read this.', 200),
        element: {
          type: 'plain_text_input',
          action_id: rejectModal.input,
          multiline: true,
          min_length: 3,
          max_length: 500,
        },
      },
    ],
  };
}
