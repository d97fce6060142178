import { voteWantedMessage } from '../../blocks/receipt.ts';

it.each([
  [0, 1, 'nobody has voted yet; 1 vote is wanted'],
  [0, 2, 'nobody has voted yet; 2 votes are wanted'],
  [1, 2, '1 of 2 votes is there'],
  [2, 3, '2 of 3 votes are there'],
])('says in words that %i of %i votes are there', (votes, votesNeeded, words) => {
  const { text } = voteWantedMessage(
    {
      kind: 'vote-wanted',
      runId: 'run-01jd0a4ycz',
      environment: 'production',
      about: 'migrate space-isolation',
      votes,
      votesNeeded,
      expiresAt: '2026-11-20T10:00:00.000Z',
    },
    { users: [], groups: [] },
  );
  expect(text).toBe(`migrate space-isolation in PRODUCTION still waits: ${words}`);
});
