import type { FailureReport } from '../src/shared/failure.ts';
import { detailsModal } from './button.ts';
import { bare } from './escape.ts';
import { firstFitting } from './fit.ts';
import { type Block, context, limits, type Modal, plainText, section } from './message.ts';
import { refusedMessage } from './refused.ts';

/** A window in which nothing is asked. `rest`: where all of it stands, when it does not fit. */
export function messageWindow(title: string, all: readonly Block[], rest: string): Modal {
  const { blocks, left } = firstFitting(all, { places: limits.modalBlocks - 1, characters: limits.characters });
  return {
    type: 'modal',
    callback_id: detailsModal.callback,
    private_metadata: '',
    title: plainText(bare(title, limits.modalTitle), limits.modalTitle),
    close: plainText('Close', limits.modalTitle),
    blocks: left === 0 ? blocks : [...blocks, context(`… cut: ${rest}`)],
  };
}

/** What stands there until what was asked for is known: a window can be opened for three seconds only. */
export function loadingWindow(title: string): Modal {
  return messageWindow(title, [section('⏳ Looking …')], '');
}

/** For what is nobody's to act on: the message beside it holds the id. */
export function brokenWindow(title: string): Modal {
  return messageWindow(title, [section('✗ Something in the bot itself went wrong: a message to you has its id.')], '');
}

/** Said no, or something an operator can act on, in the window where it was asked. */
export function refusedWindow(title: string, report: Pick<FailureReport, 'code' | 'message' | 'advice'>): Modal {
  return messageWindow(title, refusedMessage(report).blocks, 'ask again in the channel');
}
