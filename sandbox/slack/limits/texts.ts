import { among, byType, flag, type Rule, shape, string, webAddress } from './rules.ts';

/** A plain_text object. */
export function plainText(most: number): Rule {
  return shape({ type: among('plain_text'), text: string(most) }, { emoji: flag });
}

function mrkdwn(most: number): Rule {
  return shape({ type: among('mrkdwn'), text: string(most) }, { verbatim: flag });
}

/** A plain_text or mrkdwn object. */
export function anyText(most: number): Rule {
  return byType({ plain_text: plainText(most), mrkdwn: mrkdwn(most) });
}

/** Asks before a click counts. */
export const confirmDialog: Rule = shape(
  { title: plainText(100), text: anyText(300), confirm: plainText(30), deny: plainText(30) },
  { style: among('primary', 'danger') },
);

export const blockId: Rule = string(255);
export const actionId: Rule = string(255);

export const imageFields = {
  required: { type: among('image'), alt_text: string(2000) },
  optional: { image_url: webAddress(3000), slack_file: shape({}, { id: string(255), url: webAddress(3000) }) },
};
