import { CHART_STYLE, FIGURE_FONT } from '../chart/style.ts';

const TEXT = `"Iowan Old Style","Palatino Linotype",Palatino,"URW Palladio L",P052,"Book Antiqua",Georgia,"Liberation Serif",serif`;

/** The style of reports and live pages. */
export const STYLE = `${CHART_STYLE}
*{box-sizing:border-box}
html{background:var(--paper);color:var(--ink);font:17px/1.5 ${TEXT};-webkit-text-size-adjust:100%}
body{margin:0 auto;padding:2.2rem 1rem 3rem;max-width:74rem;overflow-wrap:anywhere}
h1{font-weight:500;font-size:2.1rem;line-height:1.15;margin:0 0 .3rem;letter-spacing:-.01em}
h2{font-weight:500;font-style:italic;font-size:1.3rem;margin:0 0 .7rem;padding-top:.55rem;border-top:1px solid var(--ink)}
h3{font-weight:500;font-size:1.05rem;margin:1.2rem 0 .3rem}
p{max-width:42rem;margin:.4rem 0}
.lead{color:var(--soft);margin-bottom:1.6rem}
section{margin:0 0 2.2rem}
[hidden]{display:none!important}
.bad{font-weight:600;color:var(--bad)}
small,.note{color:var(--soft);font-size:.82rem}
footer{border-top:1px solid var(--hair);padding-top:.6rem;color:var(--soft);font-size:.82rem}
.figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(20rem,100%),1fr));gap:1.6rem 2rem;align-items:start}
*+.figures{margin-top:1.2rem}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(22rem,100%),1fr));gap:1.2rem 2.5rem;align-items:start}
.maps{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(26rem,100%),1fr));gap:2rem 2.5rem;align-items:start;margin-bottom:1.6rem}
.pair>*,.maps>*,.figures>*{min-width:0}
@media (min-width:62rem){main.one{display:grid;grid-template-columns:minmax(0,35rem) minmax(0,1fr);column-gap:2.5rem}main.one>*{grid-column:1/-1;min-width:0}main.one>#summary{grid-column:1;grid-row:1/span 2}main.one>#result,main.one>#cost{grid-column:2;margin-bottom:1.6rem}main.one>#result .pair{display:block}}
figure{margin:0;min-width:0}
.plot{overflow-x:auto}
svg.chart{display:block;overflow:visible}
svg.chart:not(.natural){width:100%;height:auto;max-width:27rem}
.wide svg.chart:not(.natural){max-width:35rem}
figcaption{font-size:.86rem;line-height:1.4;color:var(--soft);max-width:34rem;margin-top:.35rem}
figcaption b{font-weight:500;font-style:italic;color:var(--ink)}
.download{font:.68rem ${FIGURE_FONT};letter-spacing:.04em;color:var(--soft);margin-left:.3rem;white-space:nowrap}
.scroll{overflow-x:auto}
table{border-collapse:collapse;overflow-wrap:break-word;font-size:.94rem;font-variant-numeric:tabular-nums lining-nums;min-width:min(100%,26rem)}
th,td{padding:.2rem 1.1rem .2rem 0;text-align:left;vertical-align:top;font-weight:400}
thead th{font-style:italic;border-bottom:1px solid var(--hair);vertical-align:bottom;min-width:7.2rem}
thead td{border-bottom:1px solid var(--hair)}
tbody th{color:var(--soft);white-space:nowrap}
tbody td{min-width:7.2rem}
tbody td.text{min-width:18rem;max-width:34rem}
.wrong{display:flex;flex-wrap:wrap;gap:1rem 1.2rem}.wrong figure{width:8.5rem}.wrong figcaption{overflow-wrap:anywhere}
#result td,#cost td{white-space:nowrap}
.key,.swatch{display:inline-block;width:.7em;height:.7em;margin-right:.4em;border-radius:.1em;background:currentColor}
.key,.swatch{print-color-adjust:exact}.swatch{margin:0 .15em 0 .3em}.swatch.kept{background:var(--t0)}.swatch.dropped{background:var(--pale)}
.settings{columns:17rem;column-gap:2.5rem;margin:.6rem 0 0;font:.74rem/1.5 ${FIGURE_FONT}}
.settings div{display:flex;justify-content:space-between;gap:1rem;border-bottom:1px solid var(--hair);break-inside:avoid}
.settings dt{color:var(--soft)}.settings dd{margin:0;text-align:right;overflow-wrap:anywhere}
.slider{display:flex;align-items:center;gap:.7rem;max-width:35rem;margin:.3rem 0;font:.78rem ${FIGURE_FONT};font-variant-numeric:tabular-nums}
.slider input{flex:1;min-width:6rem;height:1.6rem;margin:0;accent-color:var(--t0)}
.slider output{min-width:11.5em}
:focus-visible{outline:2px solid var(--t0);outline-offset:2px}
@media print{html{font-size:10.5pt}body{padding:0;max-width:none}.slider,.download{display:none!important}section,figure{break-inside:avoid}#settings{break-inside:auto}.figures{grid-template-columns:repeat(2,1fr)}}
`;
