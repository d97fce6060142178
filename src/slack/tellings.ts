import type { Run, RunEvent } from '../runs/run.ts';
import { needsRunbook } from '../runs/runbook.ts';
import { isToldByReport } from '../schedules/schedule.ts';

/** What Slack is told of one event. Names are unique in a run, so that each thing is posted once. */
export type Telling =
  /** The run's message shows how things are: at once, or with the next edit. */
  | { readonly kind: 'card'; readonly at: 'once' | 'next' }
  /** A line in the run's thread. */
  | { readonly kind: 'line'; readonly name: string; readonly mark: string; readonly text: string }
  /** The whole plan, in the thread. */
  | { readonly kind: 'plan'; readonly name: string }
  /** How to recover without the bot, in the thread. */
  | { readonly kind: 'runbook'; readonly name: string }
  /** What undo kept, in the thread. */
  | { readonly kind: 'conflicts'; readonly name: string }
  /** A new message in the channel, because edits notify nobody. */
  | { readonly kind: 'failed' | 'done' | 'not-started' | 'paused'; readonly name: string }
  | { readonly kind: 'lost' | 'disputed' | 'glass-broken'; readonly name: string; readonly text: string }
  /** The votes on single steps: a new message each, and what has become of the ones before. */
  | { readonly kind: 'gates'; readonly name: string };

const threadKinds = ['line', 'plan', 'runbook', 'conflicts'];

/** The others stand in the channel. */
export const standsInThread = ({ kind }: Telling): boolean => threadKinds.includes(kind);

export function tellingsOf(event: RunEvent, run: Run): readonly Telling[] {
  if (isToldByReport(run) && event.type !== 'failed' && event.type !== 'lost') return [];
  const card: Telling = { kind: 'card', at: 'once' };
  const name = `${event.type}-${event.id}`;
  const line = (mark: string, text: string): Telling => ({ kind: 'line', name: `thread-${event.id}`, mark, text });
  const said = event.text === null ? '' : `: ${event.text}`;
  switch (event.type) {
    case 'requested':
      return run.plan.stages.some((stage) => stage.steps.some((step) => step.effect !== 'reads'))
        ? [card, { kind: 'plan', name: 'plan' }]
        : [card];
    case 'voted':
      return [card, line('✓', `a vote${said}`), ...gates(run)];
    case 'approved':
    case 'started':
      return [card];
    case 'rejected':
    case 'expired':
    case 'voided':
      return [card, { kind: 'not-started', name }];
    case 'asked':
      return [card, line('▶', event.text ?? 'somebody asked for something')];
    case 'paused':
      return [
        card,
        line('⏸', `stands still${said}`),
        ...(run.control.ballot === null ? [{ kind: 'paused', name } as const] : gates(run)),
      ];
    case 'lost':
      return [card, { kind: 'lost', name, text: event.text ?? '' }];
    case 'disputed':
    case 'glass-broken':
      return [card, { kind: event.type, name, text: event.text ?? '' }];
    case 'resumed':
      return [card, line('▶', `goes on${said}`), ...gates(run)];
    case 'changing':
      return needsRunbook(run.plan) ? [{ kind: 'runbook', name: 'runbook' }] : [];
    case 'stage-started':
      return [card, line('▶', event.text ?? 'the next stage')];
    case 'step-done':
      return [card];
    case 'step-started':
    case 'progress':
      return [{ kind: 'card', at: 'next' }];
    case 'step-failed':
      return [card, line('✗', event.text ?? 'a step failed')];
    case 'failed':
      return [card, { kind: 'failed', name }, ...gates(run)];
    case 'done':
      return [card, { kind: 'done', name }, ...(run.plan.action === 'rollback' ? [conflicts(event)] : [])];
    case 'closed':
      return [card, line('∅', `closed${said}`)];
    case 'watched':
      return [line('👁', event.text ?? 'watched')];
  }
}

function gates(run: Run): readonly Telling[] {
  return run.control.gates.length === 0 ? [] : [{ kind: 'gates', name: 'gates' }];
}

function conflicts(event: RunEvent): Telling {
  return { kind: 'conflicts', name: `kept-${event.id}` };
}
