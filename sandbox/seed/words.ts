import type { Random } from './random.ts';

const list = (text: string): readonly string[] => text.split('|');

export const GIVEN_NAMES = list(
  'Ada|Amir|Anna|Ben|Carlos|Chen|Chloe|Daniel|Elena|Emeka|Farah|Grace|Hana|Ivan|Jamal|Jana|Kofi|Lars|Leila|Mateo|Mei|Nadia|Noah|Olga|Omar|Priya|Ravi|Rosa|Sara|Sven|Tara|Viktor|Wanda|Yuki|Zara',
);

export const FAMILY_NAMES = list(
  'Abara|Ahmed|Almeida|Becker|Bianchi|Costa|Dubois|Eriksen|Fischer|Garcia|Haddad|Ito|Jensen|Kaplan|Kowalski|Larsen|Martin|Mensah|Moreau|Nakamura|Novak|Okafor|Patel|Petrov|Rossi|Sato|Schmidt|Silva|Singh|Tanaka|Varga|Weber|Yilmaz|Zhang',
);

export const TOPICS = list(
  'Budget|Contracts|Customer interviews|Design review|Field notes|Hiring|Incident reports|Literature|Market research|Meeting notes|Onboarding|Patents|Product plan|Quarterly results|Regulations|Release notes|Research|Roadmap|Sales|Security|Suppliers|Training|Travel',
);

export const TAGS = list('draft|finance|internal|legal|research|review|shared|team|urgent|2024');

const WORDS = list(
  'account|agreement|analysis|approach|archive|average|balance|before|between|budget|capacity|change|client|committee|condition|contract|control|cost|customer|data|date|decision|delivery|demand|department|detail|document|draft|effect|estimate|evidence|exchange|figure|final|forecast|function|growth|history|impact|increase|interest|issue|item|level|limit|margin|market|measure|meeting|method|month|network|number|offer|order|output|overview|paper|partner|payment|period|plan|policy|price|process|product|project|proposal|quality|quarter|question|range|rate|reason|record|region|report|request|result|review|risk|sample|schedule|section|service|share|source|standard|study|summary|supplier|support|system|target|test|topic|total|trend|unit|update|value|version|volume|week|year',
);

/** Sentences of about eight words, so that contents look like text and compress like it. */
export function sentences(random: Random, count: number): string {
  const lines: string[] = [];
  for (let i = 0; i < count; i++) {
    const text = Array.from({ length: random.integer(5, 11) }, () => random.pick(WORDS)).join(' ');
    lines.push(`${text.charAt(0).toUpperCase()}${text.slice(1)}.`);
  }
  return lines.join(' ');
}
