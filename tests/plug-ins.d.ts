/** Plug-ins in JavaScript have no types here. */
declare module '*.mjs';
