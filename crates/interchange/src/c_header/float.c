/* ---- pixels */
static inline void NAME_pixels(const uint8_t *image, int count, float *output) {
    for (int i = 0; i < count; i++) output[i] = (float)image[i] / 255.0f;
}
/* ---- prepare: pixels of 0 to 1 as the network was trained on */
static inline void NAME_prepare(float *pixels, int count, int step, float mean, float deviation) {
    for (int i = 0; i < count; i += step) pixels[i] = (pixels[i] - mean) / deviation;
}
/* ---- copy */
static inline void NAME_copy(const float *input, int count, float *output) {
    for (int i = 0; i < count; i++) output[i] = input[i];
}
/* ---- add */
static inline void NAME_add(const float *input, int count, float *output) {
    for (int i = 0; i < count; i++) output[i] += input[i];
}
/* ---- grid: whole numbers of 0 to 255, ties to the even one */
static inline void NAME_grid(const float *input, int count, float scale, int zero, uint8_t *output) {
    for (int i = 0; i < count; i++) {
        float number = rintf(input[i] / scale) + (float)zero;
        output[i] = (uint8_t)(number < 0.0f ? 0.0f : number > 255.0f ? 255.0f : number);
    }
}
/* ---- scaled: a sum of products, in units of what it is worth where those are given */
static inline float NAME_scaled(SUM sum, const float *unit, const float *bias, int i) {
    return (unit ? (float)sum * unit[i] : (float)sum) + (bias ? bias[i] : 0.0f);
}
/* ---- convolution: input [height][width][channels], weight [filters][rows][columns][channels / groups] */
static inline void NAME_convolution(const INPUT *input, int zero, int height, int width, int channels,
                                    const WEIGHT *weight, const float *unit, const float *bias, int filters,
                                    int groups, int rows, int columns, int stride, int above, int left, int dilation,
                                    int out_height, int out_width, float *output) {
    const int depth = channels / groups;
    for (int y = 0; y < out_height; y++)
        for (int x = 0; x < out_width; x++)
            for (int filter = 0; filter < filters; filter++) {
                const int first = filter / (filters / groups) * depth;
                SUM sum = 0;
                for (int i = 0; i < rows; i++) {
                    const int row = y * stride - above + i * dilation;
                    if (row < 0 || row >= height) continue;
                    for (int j = 0; j < columns; j++) {
                        const int column = x * stride - left + j * dilation;
                        if (column < 0 || column >= width) continue;
                        const INPUT *values = input + (row * width + column) * channels + first;
                        const WEIGHT *weights = weight + ((filter * rows + i) * columns + j) * depth;
                        for (int k = 0; k < depth; k++) sum += (values[k] - (SUM)zero) * weights[k];
                    }
                }
                *output++ = NAME_scaled(sum, unit, bias, filter);
            }
}
/* ---- depthwise: weight [rows][columns][channels] */
static inline void NAME_depthwise(const INPUT *input, int zero, int height, int width, int channels,
                                  const WEIGHT *weight, const float *unit, const float *bias, int rows, int columns,
                                  int stride, int above, int left, int dilation, int out_height, int out_width,
                                  float *output) {
    for (int y = 0; y < out_height; y++)
        for (int x = 0; x < out_width; x++)
            for (int channel = 0; channel < channels; channel++) {
                SUM sum = 0;
                for (int i = 0; i < rows; i++) {
                    const int row = y * stride - above + i * dilation;
                    if (row < 0 || row >= height) continue;
                    for (int j = 0; j < columns; j++) {
                        const int column = x * stride - left + j * dilation;
                        if (column < 0 || column >= width) continue;
                        sum += (input[(row * width + column) * channels + channel] - (SUM)zero) *
                               weight[(i * columns + j) * channels + channel];
                    }
                }
                *output++ = NAME_scaled(sum, unit, bias, channel);
            }
}
/* ---- dense: input [steps][inputs], weight [units][inputs] */
static inline void NAME_dense(const INPUT *input, int zero, int steps, int inputs, const WEIGHT *weight,
                              const float *unit, const float *bias, int units, float *output) {
    for (int step = 0; step < steps; step++, input += inputs)
        for (int j = 0; j < units; j++) {
            SUM sum = 0;
            for (int i = 0; i < inputs; i++) sum += (input[i] - (SUM)zero) * weight[j * inputs + i];
            *output++ = NAME_scaled(sum, unit, bias, j);
        }
}
/* ---- pool */
static inline void NAME_pool(const float *input, int width, int channels, int rows, int columns, int stride,
                             int mean, int out_height, int out_width, float *output) {
    for (int y = 0; y < out_height; y++)
        for (int x = 0; x < out_width; x++)
            for (int channel = 0; channel < channels; channel++) {
                const float *window = input + (y * stride * width + x * stride) * channels + channel;
                float result = mean ? 0.0f : window[0];
                for (int i = 0; i < rows; i++)
                    for (int j = 0; j < columns; j++) {
                        const float value = window[(i * width + j) * channels];
                        if (mean) result += value;
                        else if (value > result) result = value;
                    }
                *output++ = mean ? result / (float)(rows * columns) : result;
            }
}
/* ---- sigmoid_of */
static inline float NAME_sigmoid_of(float value) { return 1.0f / (1.0f + expf(-value)); }
/* ---- relu */
static inline void NAME_relu(float *values, int count, float slope) {
    for (int i = 0; i < count; i++)
        if (values[i] < 0.0f) values[i] *= slope;
}
/* ---- gelu */
static inline void NAME_gelu(float *values, int count) {
    for (int i = 0; i < count; i++) values[i] *= 0.5f * erfcf(-0.70710678f * values[i]);
}
/* ---- silu */
static inline void NAME_silu(float *values, int count) {
    for (int i = 0; i < count; i++) values[i] *= NAME_sigmoid_of(values[i]);
}
/* ---- tanh */
static inline void NAME_tanh(float *values, int count) {
    for (int i = 0; i < count; i++) values[i] = tanhf(values[i]);
}
/* ---- sigmoid */
static inline void NAME_sigmoid(float *values, int count) {
    for (int i = 0; i < count; i++) values[i] = NAME_sigmoid_of(values[i]);
}
/* ---- affine: batch normalisation as a product and a sum */
static inline void NAME_affine(float *values, int rows, int features, const float *factor, const float *addend) {
    for (int row = 0; row < rows; row++, values += features)
        for (int i = 0; i < features; i++) values[i] = values[i] * factor[i] + addend[i];
}
/* ---- layer_norm */
static inline void NAME_layer_norm(float *values, int rows, int features, const float *scale, const float *offset) {
    for (int row = 0; row < rows; row++, values += features) {
        float mean = 0.0f, variance = 0.0f;
        for (int i = 0; i < features; i++) mean += values[i];
        mean /= (float)features;
        for (int i = 0; i < features; i++) variance += (values[i] - mean) * (values[i] - mean);
        const float factor = 1.0f / sqrtf(variance / (float)features + EPSILON);
        for (int i = 0; i < features; i++) values[i] = (values[i] - mean) * factor * scale[i] + offset[i];
    }
}
/* ---- product: output[j] += sum of input[i] weight[i][j], of scaled weights where there is a scale */
static inline void NAME_product(const float *input, int inputs, const WEIGHT *weight, const float *scale, int width,
                                float *output) {
    for (int j = 0; j < width; j++) {
        float sum = 0.0f;
        for (int i = 0; i < inputs; i++) sum += input[i] * (float)weight[i * width + j];
        output[j] += scale ? scale[j] * sum : sum;
    }
}
/* ---- lstm: one direction; gates i, f, g, o; memory of 6 * units values */
static inline void NAME_lstm(const float *input, int steps, int inputs, int units, const WEIGHT *kernel,
                             const float *kernel_scale, const WEIGHT *recurrent, const float *recurrent_scale,
                             const float *bias, int reverse, int sequence, int apart, float *memory, float *output) {
    float *hidden = memory, *cell = memory + units, *gates = memory + 2 * units;
    for (int i = 0; i < 2 * units; i++) memory[i] = 0.0f;
    for (int step = 0; step < steps; step++) {
        const int place = reverse ? steps - 1 - step : step;
        for (int j = 0; j < 4 * units; j++) gates[j] = bias[j];
        NAME_product(input + place * inputs, inputs, kernel, kernel_scale, 4 * units, gates);
        NAME_product(hidden, units, recurrent, recurrent_scale, 4 * units, gates);
        for (int u = 0; u < units; u++) {
            cell[u] = NAME_sigmoid_of(gates[units + u]) * cell[u] +
                      NAME_sigmoid_of(gates[u]) * tanhf(gates[2 * units + u]);
            hidden[u] = NAME_sigmoid_of(gates[3 * units + u]) * tanhf(cell[u]);
            if (sequence) output[place * apart + u] = hidden[u];
        }
    }
    if (!sequence) NAME_copy(hidden, units, output);
}
/* ---- gru: gates z, r, n; the reset gate after the product; memory of 7 * units values */
static inline void NAME_gru(const float *input, int steps, int inputs, int units, const WEIGHT *kernel,
                            const float *kernel_scale, const WEIGHT *recurrent, const float *recurrent_scale,
                            const float *bias, int reverse, int sequence, int apart, float *memory, float *output) {
    float *hidden = memory, *of_input = memory + units, *of_hidden = memory + 4 * units;
    for (int i = 0; i < units; i++) hidden[i] = 0.0f;
    for (int step = 0; step < steps; step++) {
        const int place = reverse ? steps - 1 - step : step;
        for (int j = 0; j < 3 * units; j++) of_input[j] = bias[j], of_hidden[j] = bias[3 * units + j];
        NAME_product(input + place * inputs, inputs, kernel, kernel_scale, 3 * units, of_input);
        NAME_product(hidden, units, recurrent, recurrent_scale, 3 * units, of_hidden);
        for (int u = 0; u < units; u++) {
            const float z = NAME_sigmoid_of(of_input[u] + of_hidden[u]);
            const float r = NAME_sigmoid_of(of_input[units + u] + of_hidden[units + u]);
            const float n = tanhf(of_input[2 * units + u] + r * of_hidden[2 * units + u]);
            hidden[u] = (1.0f - z) * n + z * hidden[u];
            if (sequence) output[place * apart + u] = hidden[u];
        }
    }
    if (!sequence) NAME_copy(hidden, units, output);
}
/* ---- rnn: memory of 2 * units values */
static inline void NAME_rnn(const float *input, int steps, int inputs, int units, const WEIGHT *kernel,
                            const float *kernel_scale, const WEIGHT *recurrent, const float *recurrent_scale,
                            const float *bias, int reverse, int sequence, int apart, float *memory, float *output) {
    float *hidden = memory, *sums = memory + units;
    for (int i = 0; i < units; i++) hidden[i] = 0.0f;
    for (int step = 0; step < steps; step++) {
        const int place = reverse ? steps - 1 - step : step;
        for (int j = 0; j < units; j++) sums[j] = bias[j];
        NAME_product(input + place * inputs, inputs, kernel, kernel_scale, units, sums);
        NAME_product(hidden, units, recurrent, recurrent_scale, units, sums);
        for (int u = 0; u < units; u++) {
            hidden[u] = tanhf(sums[u]);
            if (sequence) output[place * apart + u] = hidden[u];
        }
    }
    if (!sequence) NAME_copy(hidden, units, output);
}
/* ---- projection: input [steps][inputs], weight [units][inputs] */
static inline void NAME_projection(const float *input, int steps, int inputs, const WEIGHT *weight,
                                   const float *scale, const float *bias, int units, float *output) {
    for (int step = 0; step < steps; step++, input += inputs)
        for (int unit = 0; unit < units; unit++) {
            float sum = 0.0f;
            for (int i = 0; i < inputs; i++) sum += input[i] * (float)weight[unit * inputs + i];
            *output++ = (scale ? scale[unit] * sum : sum) + bias[unit];
        }
}
/* ---- attention: queries, keys and values [steps][3 * features]; memory of steps values */
static inline void NAME_attention(const float *projected, int steps, int features, int heads, float *memory,
                                  float *output) {
    const int width = features / heads;
    const float scale = 1.0f / sqrtf((float)width);
    for (int head = 0; head < heads; head++)
        for (int step = 0; step < steps; step++) {
            const float *query = projected + step * 3 * features + head * width;
            float largest = -INFINITY, total = 0.0f;
            for (int other = 0; other < steps; other++) {
                const float *key = projected + other * 3 * features + features + head * width;
                float sum = 0.0f;
                for (int i = 0; i < width; i++) sum += query[i] * key[i];
                memory[other] = sum * scale;
                if (memory[other] > largest) largest = memory[other];
            }
            for (int other = 0; other < steps; other++) total += memory[other] = expf(memory[other] - largest);
            for (int i = 0; i < width; i++) {
                float sum = 0.0f;
                for (int other = 0; other < steps; other++)
                    sum += memory[other] * projected[other * 3 * features + 2 * features + head * width + i];
                output[step * features + head * width + i] = sum / total;
            }
        }
}
