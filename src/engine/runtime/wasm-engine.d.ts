/** The engine's build for WebAssembly. package.json maps it to one build for Node and one for pages. */
declare module '#wasm-engine' {
  export * from 'onnxruntime-web';
}
