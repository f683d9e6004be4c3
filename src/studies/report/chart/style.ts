import { SHADES } from './heat-map.ts';

/** Colors of groups of runs. They can be told apart in both color schemes and with most forms of color blindness. */
const TONES = {
  light: ['#1f4e8c', '#b4521b', '#2c7a52', '#7b4a9e', '#8a6d0b', '#a83256'],
  dark: ['#86b4ec', '#eb9a62', '#74c69b', '#c2a0e6', '#d9bd5a', '#ee8fae'],
};
/** Ends of the heat map's color scale. Lightness changes evenly between them, so the map can also be read in grey. */
const SCALE = {
  light: { none: [240, 239, 232], most: [14, 58, 118] },
  dark: { none: [34, 38, 45], most: [166, 207, 255] },
};

const COLOURS = {
  light:
    '--paper:#fcfbf7;--ink:#1c1c1a;--soft:#5f5d56;--hair:#dedbd0;--mark:#a09c8f;--pale:#bdb9ac;--bad:#a3231c;',
  dark: '--paper:#15171b;--ink:#e8e5de;--soft:#a3a198;--hair:#32353b;--mark:#77766f;--pale:#5d5f63;--bad:#ff8f85;',
};

export const FIGURE_FONT = `"Helvetica Neue",Helvetica,Arial,"Liberation Sans",sans-serif`;

/**
 * The style of figures in a page and of standalone ones. Everything that depends on the color scheme is a variable.
 */
export const CHART_STYLE = `
:root{color-scheme:light dark;${COLOURS.light}${variables('light')}}
@media (prefers-color-scheme:dark){:root{${COLOURS.dark}${variables('dark')}}}
@media print{:root{color-scheme:light;${COLOURS.light}--paper:#fff;${variables('light')}}}
.chart text{font:10px ${FIGURE_FONT};fill:var(--ink);font-variant-numeric:tabular-nums}
.chart .axis,.chart .mean{fill:var(--soft)}
.chart .name{font-style:italic}
.grid{stroke:var(--hair);stroke-width:.75}
.axis-line{stroke:var(--mark);stroke-width:.75}
.mark{stroke:var(--mark);stroke-width:1;stroke-dasharray:2 2}
.chart .halo{paint-order:stroke;stroke:var(--paper);stroke-width:4px}
.curve{fill:none;stroke:currentColor;stroke-width:1.5;stroke-linejoin:round;stroke-linecap:round}
.dashed{stroke-dasharray:5 4}
.band{fill:currentColor;opacity:.14}
.whisker{stroke:currentColor;stroke-width:4;opacity:.28}
.dot{fill:currentColor}
.chart .series{fill:currentColor}
.stripe{fill:var(--ink);opacity:0}.stripe:hover{opacity:.07}
rect.kept{fill:var(--t0)}rect.dropped{fill:var(--pale)}
.cell text{font-size:9.5px}
${tones()}${shades()}
`;

function variables(scheme: keyof typeof SCALE): string {
  const { none, most } = SCALE[scheme];
  const shades = Array.from({ length: SHADES + 1 }, (_, i) => {
    const shade = none.map((from, k) => Math.round(from + (most[k]! - from) * (i / SHADES)));
    return `--h${i}:rgb(${shade.join(' ')});--n${i}:${inkOn(shade)};`;
  });
  return TONES[scheme].map((tone, i) => `--t${i}:${tone};`).join('') + shades.join('');
}

/**
 * Black or white, whichever has more contrast with a color. According to WCAG, their contrasts are equal at a
 * luminance of 0.18.
 */
function inkOn(color: readonly number[]): string {
  const [red, green, blue] = color.map((value) => (value / 255) ** 2.2) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.18 ? '#10151c' : '#fff';
}

function tones(): string {
  return TONES.light.map((_, i) => `.t${i}{color:var(--t${i})}`).join('');
}

function shades(): string {
  const rule = (i: number) =>
    `rect.h${i},.h${i} rect{fill:var(--h${i})}.chart .h${i} text{fill:var(--n${i})}.s${i}{color:var(--h${i})}`;
  return Array.from({ length: SHADES + 1 }, (_, i) => rule(i)).join('');
}
