/* ---- columns: [height][width][channels] as [width][height][channels] */
static inline void NAME_columns(const VALUE *input, int height, int width, int channels, VALUE *output) {
    for (int x = 0; x < width; x++)
        for (int y = 0; y < height; y++)
            for (int k = 0; k < channels; k++) *output++ = input[(y * width + x) * channels + k];
}
/* ---- patches */
static inline void NAME_patches(const VALUE *input, int height, int width, int channels, int size, VALUE *output) {
    for (int top = 0; top < height; top += size)
        for (int left = 0; left < width; left += size)
            for (int y = top; y < top + size; y++)
                for (int k = 0; k < size * channels; k++) *output++ = input[(y * width + left) * channels + k];
}
