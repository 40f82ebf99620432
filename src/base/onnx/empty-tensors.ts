/**
 * Operators of onnxruntime-node 1.30.0 that take tensors without elements, or refuse them with an error. Measured
 * in a process of its own for each: a model of that one operator, every dynamic dimension 0, 1 and 2 in all
 * combinations, one and two threads within a run. LSTM, GRU, TopK, InstanceNormalization, Unique, DFT, Inverse,
 * DynamicQuantizeLSTM, QAttention, GroupQueryAttention, QLinearAdd and FeatureVectorizer ended that process (SIGFPE, SIGSEGV,
 * SIGABRT): no answer, no exception. What was not measured counts as one of them.
 */
const MEASURED: Readonly<Record<string, string>> = {
  '': `Abs Acos Acosh Add AffineGrid And ArgMax ArgMin Asin Asinh Atan Atanh Attention AveragePool
    BatchNormalization Bernoulli BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor Cast CastLike Ceil Celu
    CenterCropPad Clip Col2Im Compress Concat ConcatFromSequence Constant ConstantOfShape Conv ConvInteger
    ConvTranspose Cos Cosh CumSum DepthToSpace DequantizeLinear Det Div Dropout DynamicQuantizeLinear Einsum Elu
    Equal Erf Exp Expand EyeLike Flatten Floor Gather GatherElements GatherND Gelu Gemm GlobalAveragePool
    GlobalLpPool GlobalMaxPool Greater GreaterOrEqual GridSample GroupNormalization HannWindow HardSigmoid
    HardSwish Hardmax Identity If IsInf IsNaN LRN LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax
    Loop LpNormalization LpPool MatMul MatMulInteger Max MaxPool Mean MeanVarianceNormalization MelWeightMatrix Min
    Mish Mod Mul Multinomial Neg NonMaxSuppression NonZero Not OneHot Or PRelu Pad Pow QLinearConv QLinearMatMul
    QuantizeLinear RMSNormalization RandomNormalLike RandomUniformLike Range Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax
    ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare RegexFullMatch Relu Reshape Resize ReverseSequence
    RoiAlign Round Scan ScatterElements ScatterND Selu SequenceAt SequenceConstruct SequenceEmpty
    SequenceInsert SequenceLength Shape Shrink
    Sigmoid Sign SimplifiedLayerNormalization Sin Sinh Size Slice Softmax Softplus Softsign SpaceToDepth Split
    SplitToSequence Sqrt Squeeze StringConcat StringSplit Sub Sum Tan Tanh TfIdfVectorizer ThresholdedRelu Tile
    Transpose Trilu Unsqueeze Upsample Where Xor`,
  'ai.onnx.ml.': `ArrayFeatureExtractor Binarizer CategoryMapper Imputer LabelEncoder LinearClassifier
    LinearRegressor Normalizer OneHotEncoder SVMClassifier SVMRegressor Scaler TreeEnsembleClassifier
    TreeEnsembleRegressor ZipMap`,
  'com.microsoft.': `Attention BiasGelu DynamicQuantizeMatMul EmbedLayerNormalization FastGelu FusedMatMul
    GatherBlockQuantized Gelu
    MatMulIntegerToFloat MatMulNBits MultiHeadAttention NGramRepeatBlock QGemm QuickGelu RotaryEmbedding
    SkipLayerNormalization SkipSimplifiedLayerNormalization Tokenizer`,
};

const TAKES_EMPTY: ReadonlySet<string> = new Set(
  Object.entries(MEASURED).flatMap(([domain, names]) => names.split(/\s+/).map((name) => domain + name)),
);

/**
 * The first operator that is not known to take tensors without elements; undefined: all are.
 * @param operators as in `ModelFile.operators`
 */
export function operatorAgainstEmpty(operators: Readonly<Record<string, number>>): string | undefined {
  return Object.keys(operators).find((name) => !TAKES_EMPTY.has(name));
}
