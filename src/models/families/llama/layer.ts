import { add, multiply } from '../../../engine/graph/build.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import { activation } from '../../nn/activation.ts';
import type { LayerRows } from '../../nn/decoder-layers.ts';
import type { Network, Sublayer, SublayerEnd } from '../../nn/network.ts';
import { rmsNorm } from '../../nn/rms-norm.ts';
import type { DecoderConfig } from './config.ts';

interface GatedFeedForwardOptions {
  /** Number of features between the two projections. */
  inner: number;
  activation: (x: Value) => Value;
  bias?: boolean;
}

type LayerConfig = DecoderConfig & { mlp_bias?: boolean };

/**
 * A layer: attention, then the gated feed-forward network, each applied to a norm of the hidden states. The
 * sublayers are the modules `self_attn` and `mlp`.
 *
 * @param attend applies the module `self_attn` to hidden states
 */
export function llamaLayer(
  network: Network,
  config: LayerConfig,
  { hidden, residual }: LayerRows,
  attend: (x: Value) => Value,
): Value {
  const norm = (name: string, x: Value) => rmsNorm(network.at(name), x, config.rms_norm_eps);
  const [attention, mlp] = [network.at('self_attn'), network.at('mlp')];
  const mixed = attend(norm('input_layernorm', hidden));
  const attended = add(residual, attention.sublayer('attention', mixed, { residual }));
  const inner = feedForward(mlp, config, norm('post_attention_layernorm', attended));
  return add(attended, mlp.sublayer('feedForward', inner, { residual: attended }));
}

/**
 * The end of a sublayer with a norm before the residual: residual + norm(h), as in Gemma 2 and OLMo 2. An
 * adapter is placed before this norm.
 *
 * @param module the module that computes h
 */
export function normAndAdd(
  module: Network,
  kind: Sublayer['kind'],
  h: Value,
  end: Required<SublayerEnd>,
): Value {
  return add(end.residual, end.norm(module.sublayer(kind, h, end)));
}

/** The module `mlp`. */
export function feedForward(module: Network, config: LayerConfig, x: Value): Value {
  return gatedFeedForward(module, x, {
    inner: config.intermediate_size,
    activation: activation(config.hidden_act),
    bias: config.mlp_bias,
  });
}

/** Feed-forward network with a gated linear unit (Shazeer, 2020): down_proj(activation(gate_proj x) · up_proj x). */
function gatedFeedForward(
  module: Network,
  x: Value,
  { inner, activation, bias = false }: GatedFeedForwardOptions,
): Value {
  const [gate, up] = module.linearGroup(['gate_proj', 'up_proj'], x, [inner, inner], { bias });
  const width = x.shape[1] as number;
  return module.linear('down_proj', multiply(activation(gate), up), width, { bias });
}
