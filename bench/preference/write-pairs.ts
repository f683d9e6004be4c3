import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../../src/support/random.ts';

/*
 * tsx write-pairs.ts FOLDER
 *
 * Writes train.jsonl (200 pairs) and validation.jsonl (60 pairs) of answers of a shop: the style guide wants active sentences
 * and no passive ones. Both answers say the same. The held-out pairs come from sentences that no training pair has.
 */

/** A question, an active answer and a passive one. */
type Form = readonly [question: string, active: string, passive: string];

const TRAINED: readonly Form[] = [
  [
    'When does my {item} arrive?',
    'We will deliver your {item} on {day}.',
    'Your {item} will be delivered on {day}.',
  ],
  [
    'Where is my {item}?',
    'We sent your {item} from {city} on {day}.',
    'Your {item} was sent from {city} on {day}.',
  ],
  [
    'Can I return the {item}?',
    'You can return the {item} until {day}.',
    'The {item} can be returned until {day}.',
  ],
  ['The {item} is broken.', 'We will replace the {item} on {day}.', 'The {item} will be replaced on {day}.'],
  [
    'I paid twice for the {item}.',
    'We will refund the second payment by {day}.',
    'The second payment will be refunded by {day}.',
  ],
  ['Do you repair a {item}?', 'We can repair the {item} in {city}.', 'The {item} can be repaired in {city}.'],
  [
    'Who checks the {item}?',
    'We have checked the {item} in {city}.',
    'The {item} has been checked in {city}.',
  ],
  [
    'Can you change my address?',
    'We have changed your address to {city}.',
    'Your address has been changed to {city}.',
  ],
  ['Is the {item} in stock?', 'We expect the next {item} on {day}.', 'The next {item} is expected on {day}.'],
  [
    'Can I cancel the {item}?',
    'You can cancel the order before {day}.',
    'The order can be cancelled before {day}.',
  ],
  [
    'Do you gift-wrap a {item}?',
    'We can wrap the {item} in blue paper.',
    'The {item} can be wrapped in blue paper.',
  ],
  [
    'The {item} is the wrong size.',
    'We will exchange the {item} on {day}.',
    'The {item} will be exchanged on {day}.',
  ],
  [
    'Do I get an invoice for the {item}?',
    'We will send the invoice by e-mail on {day}.',
    'The invoice will be sent by e-mail on {day}.',
  ],
  ['Where do you make the {item}?', 'We make the {item} in {city}.', 'The {item} is made in {city}.'],
];

/** Chosen such that the model finds the active answer more likely in about half of the pairs. */
const HELD_OUT: readonly Form[] = [
  [
    'Is there a discount on the {item}?',
    'We lowered the price of the {item} on {day}.',
    'The price of the {item} was lowered on {day}.',
  ],
  [
    'Can someone install the {item}?',
    'We can install the {item} on {day}.',
    'The {item} can be installed on {day}.',
  ],
  [
    'Can I collect the {item}?',
    'You can collect the {item} in {city} on {day}.',
    'The {item} can be collected in {city} on {day}.',
  ],
  [
    'My code for the {item} does not work.',
    'We will mail you a new code on {day}.',
    'A new code will be mailed to you on {day}.',
  ],
  ['Do you buy a used {item}?', 'We buy a used {item} in {city}.', 'A used {item} is bought in {city}.'],
  [
    'When do you open in {city}?',
    'We will open the shop in {city} on {day}.',
    'The shop in {city} will be opened on {day}.',
  ],
  [
    'I want to speak to someone about the {item}.',
    'We will call you about the {item} on {day}.',
    'You will be called about the {item} on {day}.',
  ],
  ['Do you test the {item}?', 'We test every {item} in {city}.', 'Every {item} is tested in {city}.'],
];

const SLOTS: Readonly<Record<string, readonly string[]>> = {
  item: [
    'lamp',
    'kettle',
    'bicycle',
    'chair',
    'radio',
    'printer',
    'drill',
    'watch',
    'heater',
    'tent',
    'camera',
    'desk',
  ],
  day: [
    'Monday',
    'Tuesday',
    'Wednesday',
    'Thursday',
    'Friday',
    'Saturday',
    '3 May',
    '17 June',
    '9 July',
    '21 August',
  ],
  city: ['Hamburg', 'Lyon', 'Leeds', 'Turin', 'Porto', 'Graz', 'Ghent', 'Aarhus'],
};

function pairs(forms: readonly Form[], count: number, stream: string): string {
  const random = new Random(1, stream);
  const seen = new Set<string>();
  for (let i = 0; seen.size < count; i++) {
    const chosen: Record<string, string> = {};
    for (const [slot, words] of Object.entries(SLOTS)) chosen[slot] = words[random.integer(words.length)]!;
    const fill = (text: string) => text.replaceAll(/\{(\w+)\}/g, (_, slot: string) => chosen[slot]!);
    const [question, active, passive] = forms[i % forms.length]!.map(fill) as [string, string, string];
    const answer = (content: string) => [{ role: 'assistant', content }];
    const prompt = [{ role: 'user', content: question }];
    seen.add(JSON.stringify({ prompt, chosen: answer(active), rejected: answer(passive) }));
  }
  return `${[...seen].join('\n')}\n`;
}

const [folder] = process.argv.slice(2);
writeFileSync(join(folder!, 'train.jsonl'), pairs(TRAINED, 200, 'train'));
writeFileSync(join(folder!, 'validation.jsonl'), pairs(HELD_OUT, 60, 'validation'));
