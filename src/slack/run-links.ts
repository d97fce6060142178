import type { Beside } from '../../blocks/beside.ts';
import type { Desks } from '../../commands/desks.ts';
import type { Run } from '../runs/run.ts';
import { aboutRun, type PostOnce } from './post-once.ts';
import { SlackBusy, type SlackCalls, SlackRefused } from './slack-calls.ts';

/** Where the runs' own messages are. */
export interface RunLinks {
  /** Null where there is none, or Slack does not say: what is to be told is told without it rather than late. `since` = no post about the run is older. */
  to(runId: string, since: string): Promise<string | null>;
  /** Only where it was asked for before: who waits for an answer does not wait for a link. */
  known(runId: string): string | null;
}

const mostKept = 1_000;

/** Each is asked for once: a message stays where it is. */
export function createRunLinks(deps: {
  readonly posts: Pick<PostOnce, 'find'>;
  readonly calls: Pick<SlackCalls, 'link'>;
}): RunLinks {
  const links = new Map<string, string>();
  return {
    known: (runId) => links.get(runId) ?? null,
    async to(runId, since) {
      const known = links.get(runId);
      if (known !== undefined) return known;
      try {
        const card = await deps.posts.find({ id: runId, since }, 'card');
        const link = card === null ? null : await deps.calls.link(card.channel, card.ts);
        if (links.size >= mostKept) links.clear();
        if (link !== null) links.set(runId, link);
        return link;
      } catch (error) {
        if (error instanceof SlackBusy || error instanceof SlackRefused) return null;
        throw error;
      }
    },
  };
}

/** What messages tell beside a run. */
export type BesideRun = (run: Run) => Promise<Beside>;

export function besideRuns(links: RunLinks, { outlooks }: Pick<Desks, 'outlooks'>): BesideRun {
  return async (run) => {
    const { id, since } = aboutRun(run);
    return { link: await links.to(id, since), outlook: outlooks.of(run) };
  };
}

/** What answers tell beside a run. */
export function besideAnswers(links: RunLinks, { outlooks }: Pick<Desks, 'outlooks'>): BesideRun {
  return async (run) => ({ link: links.known(run.id), outlook: outlooks.of(run) });
}
