import { liveEndpoints } from '../../live-stores.ts';

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: {
    readonly data: readonly { readonly index: number; readonly embedding: number[] | string }[];
    readonly usage: { readonly prompt_tokens: number };
    readonly error: { readonly message: string };
  };
}

async function ask(path: string, body: object, key = liveEndpoints().embeddings.apiKey): Promise<Answer> {
  const url = new URL(path, liveEndpoints().embeddings.url);
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Answer['body'] };
}

const embed = (model: string, input: string | string[], more = {}) => ask('/v1/embeddings', { model, input, ...more });

async function vectorsOf(model: string, texts: string[], more = {}): Promise<number[][]> {
  const { status, body } = await embed(model, texts, more);
  expect({ status, count: body.data?.length }).toEqual({ status: 200, count: texts.length });
  return body.data.map(({ embedding }) => embedding as number[]);
}

function cosine(a: readonly number[] = [], b: readonly number[] = []): number {
  const dot = (x: readonly number[], y: readonly number[]) => x.reduce((sum, value, i) => sum + value * (y[i] ?? 0), 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

const texts = ['A cat sits on the mat.', 'A kitten rests on a rug.', 'The stock market fell.'];

it('puts texts of like meaning near each other, in the dimension of each model', async () => {
  for (const [model, size] of [
    ['text-embedding-ada-002', 1536],
    ['text-embedding-3-large', 3072],
  ] as const) {
    const [cat, kitten, stocks] = await vectorsOf(model, texts);
    expect(cat).toHaveLength(size);
    expect(cosine(cat, kitten)).toBeGreaterThan(0.5);
    expect(cosine(cat, stocks)).toBeLessThan(0.3);
  }
});

it('gives every model vectors of its own, and the same ones each time', async () => {
  const [ada] = await vectorsOf('text-embedding-ada-002', texts);
  const [small] = await vectorsOf('text-embedding-3-small', texts);
  const again = await vectorsOf('text-embedding-ada-002', [texts[2] ?? '', texts[0] ?? '']);
  expect(Math.abs(cosine(ada, small))).toBeLessThan(0.2);
  expect(cosine(ada, again[1])).toBeCloseTo(1, 5);
});

it('packs vectors, shortens those of newer models and counts tokens', async () => {
  const { body } = await embed('text-embedding-3-large', texts[0] ?? '', {
    encoding_format: 'base64',
    dimensions: 256,
  });
  const packed = Buffer.from(String(body.data[0]?.embedding), 'base64');
  expect(packed).toHaveLength(256 * 4);
  expect(body.usage.prompt_tokens).toBe(9);
  const [plain] = await vectorsOf('text-embedding-3-large', texts.slice(0, 1), { dimensions: 256 });
  expect(plain?.[0]).toBeCloseTo(packed.readFloatLE(0), 5);
});

it('refuses a wrong key, an unknown model, empty input and a dimension that a model cannot have', async () => {
  const statuses = await Promise.all([
    ask('/v1/embeddings', { model: 'text-embedding-3-large', input: 'x' }, 'wrong'),
    embed('no-such-model', 'x'),
    embed('text-embedding-3-large', []),
    embed('text-embedding-3-large', ''),
    embed('text-embedding-ada-002', 'x', { dimensions: 100 }),
    ask('/control', { faults: [] }, 'wrong'),
  ]);
  expect(statuses.map(({ status }) => status)).toEqual([401, 404, 400, 400, 400, 401]);
});

it('fails as it is told to, in order, and then serves again', async () => {
  await ask('/control', {
    faults: [{ status: 429, retryAfter: 2 }, { status: 500, count: 2 }, { dimension: 8 }],
    after: 1,
  });
  const model = 'text-embedding-3-small';
  const answers: Answer[] = [];
  for (let i = 0; i < 6; i += 1) answers.push(await embed(model, 'x'));
  expect(answers.map(({ status }) => status)).toEqual([200, 429, 500, 500, 200, 200]);
  expect(answers[1]?.headers.get('retry-after')).toBe('2');
  expect(answers.slice(4).map(({ body }) => body.data[0]?.embedding.length)).toEqual([8, 1536]);
});
