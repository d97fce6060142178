import { split } from '../../blocks/fit.ts';
import { runbookMessage, runbookNote } from '../../blocks/runbook.ts';
import { blockErrors } from '../../sandbox/slack/limits/blocks.ts';
import type { OnCallView } from '../../src/oncall/on-call-desk.ts';
import type { Runbook } from '../../src/runs/runbook.ts';
import { hostile } from './hostile-run.ts';
import { mrkdwnTexts } from './mrkdwn-texts.ts';

const line = (command: string | null) => ({ what: hostile, command, changes: true });
const runbook: Runbook = {
  runId: hostile,
  environment: hostile,
  parts: Array.from({ length: 6 }, () => ({
    title: hostile,
    lines: Array.from({ length: 30 }, (_, index) =>
      line([null, hostile, '<'.repeat(1_400), 'x'.repeat(1_400)][index % 4] ?? null),
    ),
  })),
  first: Array.from({ length: 10 }, () => line('x'.repeat(1_400))),
  link: hostile,
};
const called: OnCallView = {
  environment: hostile,
  duties: {
    now: Array.from({ length: 50 }, () => ({
      person: hostile,
      level: 1,
      policy: hostile,
      schedule: null,
      from: null,
      until: null,
    })),
    next: [],
  },
  note: hostile,
  contacts: Array.from({ length: 60 }, () => ({ name: hostile, role: hostile, user: hostile, phone: hostile })),
  pages: [],
};
const whole = [runbookMessage(runbook, called), runbookNote(runbook)];

describe('a runbook with hostile data', () => {
  it.each(whole.flatMap(split))('stays within Slack’s limits', (page) => {
    expect(blockErrors(page.blocks, 50)).toEqual([]);
    expect(page.text.length).toBeLessThanOrEqual(4000);
  });

  it.each(whole)('mentions and links nothing', ({ blocks }) => {
    for (const text of mrkdwnTexts(blocks).map((each) => each.replace(/`[^`]*`/g, ''))) {
      expect(text).not.toMatch(/<[^>]*>|:white_check_mark:|@here/);
    }
  });

  it('links the configured page and nothing that pretends to be one', () => {
    const linked = (link: string): string => mrkdwnTexts(runbookNote({ ...runbook, link }).blocks).join('\n');
    expect(linked('https://wiki.example.com/dba?a=1&b=<!channel>|x')).toContain(
      '<https://wiki.example.com/dba?a=1&amp;b=%3C!channel%3E%7Cx|',
    );
    expect(linked('javascript:alert(1)')).toContain('`javascript:alert(1)`');
  });
});
