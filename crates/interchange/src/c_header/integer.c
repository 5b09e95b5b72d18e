/* ---- bytes: an image's bytes as numbers of -128 to 127 */
static inline void NAME_bytes(const uint8_t *image, int count, int8_t *output) {
    for (int i = 0; i < count; i++) output[i] = (int8_t)(image[i] - 128);
}
/* ---- prepared: an image's bytes as the network was trained on, by a table for each channel */
static inline void NAME_prepared(const uint8_t *image, int count, const int8_t *tables, int channels, int8_t *output) {
    for (int i = 0; i < count; i++) output[i] = tables[i % channels * 256 + image[i]];
}
/* ---- shifted: value / 2^shift, rounded, as a number of a grid with that zero point */
static inline int8_t NAME_shifted(int32_t value, int shift, int zero) {
    /* Compilers for numbers in two's complement shift their sign in. */
    const int32_t number = ((value + (1 << (shift - 1))) >> shift) + zero;
    return (int8_t)(number < -128 ? -128 : number > 127 ? 127 : number);
}
/* ---- requantise: sum * multiplier / 2^(32 + shift) */
static inline int8_t NAME_requantise(int32_t sum, int32_t multiplier, int shift, int zero) {
    return NAME_shifted((int32_t)(((int64_t)sum * multiplier) >> 32), shift, zero);
}
/* ---- word: four bytes */
static inline int32_t NAME_word(const int8_t *bytes) {
    int32_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}
/* ---- sums: adds the products of values with each of four rows of weights; fewer rows are read more than once */
#ifdef __ARM_FEATURE_DSP
#include <arm_acle.h>
#endif
static inline void NAME_sums(const int8_t *values, int count, const int8_t *weight, int rows, int32_t *sums) {
    const int8_t *const end = values + count;
    const int second = rows > 1 ? count : 0, third = rows > 2 ? 2 * count : 0, fourth = rows > 3 ? 3 * count : 0;
    int32_t s0 = sums[0], s1 = sums[1], s2 = sums[2], s3 = sums[3];
#ifdef __ARM_FEATURE_DSP
    /* Of each word the first byte and the third, and the second and the fourth, become two numbers of 16 bits. */
    for (const int8_t *const words = end - count % 4; values < words; values += 4, weight += 4) {
        const int32_t x = NAME_word(values), a = NAME_word(weight), b = NAME_word(weight + second);
        const int32_t c = NAME_word(weight + third), d = NAME_word(weight + fourth);
        const int16x2_t even = __sxtb16(x), odd = __sxtb16(x >> 8);
        s0 = __smlad(odd, __sxtb16(a >> 8), __smlad(even, __sxtb16(a), s0));
        s1 = __smlad(odd, __sxtb16(b >> 8), __smlad(even, __sxtb16(b), s1));
        s2 = __smlad(odd, __sxtb16(c >> 8), __smlad(even, __sxtb16(c), s2));
        s3 = __smlad(odd, __sxtb16(d >> 8), __smlad(even, __sxtb16(d), s3));
    }
#endif
    const int8_t *w1 = weight + second, *w2 = weight + third, *w3 = weight + fourth;
    while (values < end) {
        const int32_t x = *values++;
        s0 += x * *weight++, s1 += x * *w1++, s2 += x * *w2++, s3 += x * *w3++;
    }
    sums[0] = s0, sums[1] = s1, sums[2] = s2, sums[3] = s3;
}
/* ---- products: of values [count] with weight [outputs][count], each sum on the grid of the output */
static inline void NAME_products(const int8_t *values, int count, const int8_t *weight, const int32_t *bias,
                                 const int32_t *multiplier, const uint8_t *shift, int outputs, int zero,
                                 int8_t *output) {
    for (int first = 0; first < outputs; first += 4) {
        const int rows = outputs - first < 4 ? outputs - first : 4;
        int32_t sums[4] = {0};
        NAME_sums(values, count, weight + first * count, rows, sums);
        for (int i = first; i < first + rows; i++)
            output[i] = NAME_requantise(sums[i - first] + bias[i], multiplier[i], shift[i], zero);
    }
}
/* ---- logits: as products, each sum in units of what it is worth */
static inline void NAME_logits(const int8_t *values, int count, const int8_t *weight, const int32_t *bias,
                               const float *unit, int outputs, float *logits) {
    for (int first = 0; first < outputs; first += 4) {
        const int rows = outputs - first < 4 ? outputs - first : 4;
        int32_t sums[4] = {0};
        NAME_sums(values, count, weight + first * count, rows, sums);
        for (int i = first; i < first + rows; i++) logits[i] = (float)(sums[i - first] + bias[i]) * unit[i];
    }
}
/* ---- convolution: input [height][width][channels], weight [filters][rows][columns][channels / groups] */
static inline void NAME_convolution(const int8_t *input, int padding, int height, int width, int channels,
                                    const int8_t *weight, const int32_t *bias, const int32_t *multiplier,
                                    const uint8_t *shift, int filters, int groups, int rows, int columns, int stride,
                                    int above, int left, int dilation, int out_height, int out_width, int zero,
                                    int8_t *window, int8_t *output) {
    const int depth = channels / groups, count = rows * columns * depth, members = filters / groups;
    for (int y = 0; y < out_height; y++)
        for (int x = 0; x < out_width; x++)
            for (int group = 0; group < groups; group++, output += members) {
                const int first = x * stride - left;
                /* Whether what a window has of a row lies side by side. */
                const int whole = groups == 1 && dilation == 1 && first >= 0 && first + columns <= width;
                int8_t *values = window;
                for (int i = 0; i < rows; i++) {
                    const int row = y * stride - above + i * dilation;
                    const int is_inside = row >= 0 && row < height;
                    if (is_inside && whole) {
                        memcpy(values, input + (row * width + first) * channels, (size_t)(columns * depth));
                        values += columns * depth;
                        continue;
                    }
                    for (int j = 0; j < columns; j++, values += depth) {
                        const int column = first + j * dilation;
                        if (is_inside && column >= 0 && column < width)
                            memcpy(values, input + (row * width + column) * channels + group * depth, (size_t)depth);
                        else
                            memset(values, padding, (size_t)depth);
                    }
                }
                NAME_products(window, count, weight + group * members * count, bias + group * members,
                              multiplier + group * members, shift + group * members, members, zero, output);
            }
}
/* ---- depthwise: weight [rows][columns][channels] */
static inline void NAME_depthwise(const int8_t *input, int in_zero, int height, int width, int channels,
                                  const int8_t *weight, const int32_t *bias, const int32_t *multiplier,
                                  const uint8_t *shift, int rows, int columns, int stride, int above, int left,
                                  int dilation, int out_height, int out_width, int zero, int8_t *output) {
    for (int y = 0; y < out_height; y++)
        for (int x = 0; x < out_width; x++)
            for (int channel = 0; channel < channels; channel++) {
                int32_t sum = bias[channel];
                for (int i = 0; i < rows; i++) {
                    const int row = y * stride - above + i * dilation;
                    if (row < 0 || row >= height) continue;
                    for (int j = 0; j < columns; j++) {
                        const int column = x * stride - left + j * dilation;
                        if (column < 0 || column >= width) continue;
                        sum += (input[(row * width + column) * channels + channel] - in_zero) *
                               weight[(i * columns + j) * channels + channel];
                    }
                }
                *output++ = NAME_requantise(sum, multiplier[channel], shift[channel], zero);
            }
}
/* ---- cmsis_convolution: convolution by CMSIS-NN, whose biases are without the zero point's share and whose shifts count to the left; 0
 * where it was computed */
#ifdef CMSIS_NN
static inline int NAME_cmsis_convolution(const int8_t *input, int in_zero, int height, int width, int channels,
                                          const int8_t *weight, const int32_t *bias, const int32_t *multiplier,
                                          const int32_t *shift, int filters, int groups, int rows, int columns,
                                          int stride, int above, int left, int dilation, int out_height,
                                          int out_width, int zero, int8_t *buffer, int buffer_bytes,
                                          int8_t *output) {
    const cmsis_nn_conv_params windows = {
        -in_zero, zero, {stride, stride}, {left, above}, {dilation, dilation}, {-128, 127}};
    const cmsis_nn_per_channel_quant_params factors = {(int32_t *)multiplier, (int32_t *)shift};
    const cmsis_nn_dims from = {1, height, width, channels}, to = {1, out_height, out_width, filters};
    const cmsis_nn_dims window = {filters, rows, columns, channels / groups}, biases = {1, 1, 1, filters};
    const cmsis_nn_context context = {buffer, buffer_bytes};
    return arm_convolve_wrapper_s8_get_buffer_size(&windows, &from, &window, &to) > buffer_bytes ||
           arm_convolve_wrapper_s8(&context, &windows, &factors, &from, input, &window, weight, &biases, bias, &to,
                                   output) != ARM_CMSIS_NN_SUCCESS;
}
#endif
/* ---- cmsis_depthwise: depthwise by CMSIS-NN, where what it needs fits the buffer */
#ifdef CMSIS_NN
static inline void NAME_cmsis_depthwise(const int8_t *input, int in_zero, int height, int width, int channels,
                                        const int8_t *weight, const int32_t *bias, const int32_t *multiplier,
                                        const uint8_t *shift, const int32_t *left_shift, int rows, int columns,
                                        int stride, int above, int left, int dilation, int out_height,
                                        int out_width, int zero, int8_t *buffer, int buffer_bytes,
                                        int8_t *output) {
    const cmsis_nn_dw_conv_params windows = {
        -in_zero, zero, 1, {stride, stride}, {left, above}, {dilation, dilation}, {-128, 127}};
    const cmsis_nn_per_channel_quant_params factors = {(int32_t *)multiplier, (int32_t *)left_shift};
    const cmsis_nn_dims from = {1, height, width, channels}, to = {1, out_height, out_width, channels};
    const cmsis_nn_dims window = {1, rows, columns, channels}, biases = {1, 1, 1, channels};
    const cmsis_nn_context context = {buffer, buffer_bytes};
    if (arm_depthwise_conv_wrapper_s8_get_buffer_size(&windows, &from, &window, &to) > buffer_bytes ||
        arm_depthwise_conv_wrapper_s8(&context, &windows, &factors, &from, input, &window, weight, &biases, bias,
                                      &to, output) != ARM_CMSIS_NN_SUCCESS)
        NAME_depthwise(input, in_zero, height, width, channels, weight, bias, multiplier, shift, rows, columns,
                       stride, above, left, dilation, out_height, out_width, zero, output);
}
#endif
/* ---- largest: of each window */
static inline void NAME_largest(const int8_t *input, int width, int channels, int rows, int columns, int stride,
                                int out_height, int out_width, int8_t *output) {
    for (int y = 0; y < out_height; y++)
        for (int x = 0; x < out_width; x++)
            for (int channel = 0; channel < channels; channel++) {
                const int8_t *window = input + (y * stride * width + x * stride) * channels + channel;
                int8_t result = -128;
                for (int i = 0; i < rows; i++)
                    for (int j = 0; j < columns; j++) {
                        const int8_t value = window[(i * width + j) * channels];
                        if (value > result) result = value;
                    }
                *output++ = result;
            }
}
/* ---- mean: of each window; the multiplier is of four times its sum */
static inline void NAME_mean(const int8_t *input, int in_zero, int width, int channels, int rows, int columns,
                             int stride, int32_t multiplier, int shift, int out_height, int out_width, int zero,
                             int8_t *output) {
    for (int y = 0; y < out_height; y++)
        for (int x = 0; x < out_width; x++)
            for (int channel = 0; channel < channels; channel++) {
                const int8_t *window = input + (y * stride * width + x * stride) * channels + channel;
                int32_t sum = 0;
                for (int i = 0; i < rows; i++)
                    for (int j = 0; j < columns; j++) sum += window[(i * width + j) * channels] - in_zero;
                *output++ = NAME_requantise(4 * sum, multiplier, shift, zero);
            }
}
/* ---- add: each place with its zero point and multiplier */
static inline void NAME_add(const int8_t *one, int one_zero, int32_t one_multiplier, const int8_t *other,
                            int other_zero, int32_t other_multiplier, int count, int shift, int zero,
                            int8_t *output) {
    for (int i = 0; i < count; i++) {
        const int32_t sum = (one[i] - one_zero) * one_multiplier + (other[i] - other_zero) * other_multiplier;
        output[i] = NAME_shifted(sum, shift, zero);
    }
}
/* ---- table: a function of each value */
static inline void NAME_table(const int8_t *input, int count, const int8_t *table, int8_t *output) {
    for (int i = 0; i < count; i++) output[i] = table[input[i] + 128];
}
/* ---- values: what numbers of a grid stand for */
static inline void NAME_values(const int8_t *input, int count, int zero, float scale, float *output) {
    for (int i = 0; i < count; i++) output[i] = (float)(input[i] - zero) * scale;
}
