import { playStory } from '../../sandbox/demo/story.ts';
import { startTranscript } from '../../sandbox/demo/transcript.ts';
import { openJourney } from './open-journey.ts';

describe('the main story, over Socket Mode', () => {
  it('backs up, migrates with two people, validates and rolls back without losing what users wrote', async () => {
    const journey = await openJourney('demo', 'socket');
    const lines: string[] = [];
    const transcript = startTranscript(journey.session.slack, 'tas-platform', (line) => lines.push(line));
    try {
      const broken = await playStory({ slack: journey.session.slack, stores: journey.stores, transcript });
      expect({
        broken,
        failed: lines.filter((line) => line.includes('  ✗ ') && !line.startsWith(' '.repeat(8))),
      }).toMatchObject({ broken: 0 });
    } finally {
      transcript.stop();
      await journey.close();
    }
  }, 600_000);
});
