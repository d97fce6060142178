import { type BoltOnSlack, startBolt } from './bolt-app.ts';

const select = { type: 'external_select', action_id: 'which', min_query_length: 0 };
const option = (value: string) => ({ text: { type: 'plain_text' as const, text: value.toUpperCase() }, value });

describe('external selects, with the real Bolt', () => {
  let bolt: BoltOnSlack;
  const picked: string[] = [];

  beforeAll(async () => {
    bolt = await startBolt('http', (app) => {
      app.options('which', async ({ ack, options }) => {
        if (options.value === 'bad') return ack({ options: [{ text: 'no object' }] } as never);
        if (options.value === 'late') return undefined;
        await ack({ options: ['alpha', 'beta'].filter((name) => name.includes(options.value)).map(option) });
      });
      app.action('which', async ({ ack, payload }) => {
        await ack();
        if (payload.type === 'external_select') picked.push(`${payload.block_id} ${payload.selected_option?.value}`);
      });
    });
    await bolt.app.client.chat.postMessage({
      channel: 'tas-platform',
      text: 'two selects',
      blocks: ['one', 'two'].map((block_id) => ({
        type: 'section',
        block_id,
        text: { type: 'mrkdwn', text: block_id },
        accessory: select,
      })) as never,
    });
  });
  afterAll(() => bolt.stop());

  it('ask the app for options, and only what it offered may be selected', async () => {
    const alice = bolt.slack.as('alice');
    const [message] = bolt.slack.messages('tas-platform');
    if (!message) throw new Error('there is no message');
    const second = { blockId: 'two', actionId: 'which' };
    await expect(alice.select(message, second, 'beta')).rejects.toThrow('no option “beta”');
    const { groups, trouble } = await alice.suggest(message, second, 'bet');
    expect(trouble).toBe(false);
    expect(groups).toMatchObject([{ label: '', options: [{ value: 'beta' }] }]);
    await alice.select(message, second, 'beta');
    expect(picked).toEqual(['two beta']);
    await expect(alice.select(message, { blockId: 'one', actionId: 'which' }, 'beta')).rejects.toThrow('no option');
  });

  it('have no result where the answer does not fit or is late', async () => {
    const alice = bolt.slack.as('alice');
    const [message] = bolt.slack.messages('tas-platform');
    if (!message) throw new Error('there is no message');
    expect(await alice.suggest(message, 'which', 'bad')).toEqual({ groups: [], trouble: true });
    expect(await alice.suggest(message, 'which', 'late')).toEqual({ groups: [], trouble: true });
  });
});
