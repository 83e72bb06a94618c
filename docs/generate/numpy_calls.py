"""An example call of every function of NumPy's, by which the page on NumPy asks what works.

``m`` is a 3 by 3 matrix, ``v`` and ``w`` are vectors of numbers between 0 and 1, ``t`` is a
scalar, ``i`` and ``j`` are vectors of positive integers, ``k`` is one of small indices, ``b`` is a
vector of booleans; all of them are made of the tensor that is differentiated. ``np`` is the
namespace that is asked. A ufunc without a call here is called with ``v``, or ``v`` and ``w``.
"""

from __future__ import annotations

CALLS: dict[str, str] = {}

_SPECIAL = """
    arccosh(v + 1) acosh(v + 1) copysign(v, w - 0.5) divmod(v, w) ldexp(v, i) matmul(m, v)
    matvec(m, v)
    vecdot(v, w) vecmat(v, m) float_power(v, w)
    bitwise_and(i, j) bitwise_or(i, j) bitwise_xor(i, j) bitwise_count(i) bitwise_invert(i)
    bitwise_not(i) invert(i) gcd(i, j) lcm(i, j) bitwise_left_shift(i, k) left_shift(i, k)
    bitwise_right_shift(i, k) right_shift(i, k) isnat(v)
"""

_SHAPES = """
    append(v, w) array_split(v, 2) atleast_1d(t) atleast_2d(v) atleast_3d(v) block([[v,w],[w,v]])
    broadcast_arrays(v, m) broadcast_to(v, (2, 3)) column_stack([v, w]) concat([v, w])
    concatenate([v, w]) delete(v, 1) dsplit(m[None], 3) dstack([v, w]) expand_dims(v, 0) flip(v)
    fliplr(m) flipud(m) hsplit(m, 3) hstack([v, w]) insert(v, 1, w) matrix_transpose(m)
    moveaxis(m, 0, 1) pad(v, 1, mode="reflect") permute_dims(m) ravel(m) repeat(v, 2)
    reshape(m, (9, 1)) resize(v, (2, 3)) roll(v, 1) rollaxis(m, 1) rot90(m) row_stack([v, w])
    split(m, 3) squeeze(v[None]) stack([v, w]) swapaxes(m, 0, 1) tile(v, 2) transpose(m)
    unstack(m) vsplit(m, 3) vstack([v, w]) diag(v) diagflat(v) diagonal(m) tril(m) triu(m) trace(m)
    vander(v) kron(v, w) meshgrid(v, w) trim_zeros(v)
"""

_REDUCTIONS = """
    all(b) allclose(v, w) amax(v) amin(v) any(b) argmax(v) argmin(v) average(v, weights=w)
    count_nonzero(v) max(v) mean(v) median(v) min(v) nanargmax(v) nanargmin(v) nanmax(v) nanmean(v)
    nanmedian(v) nanmin(v) nanpercentile(v, 30) nanprod(v) nanquantile(v, 0.3) nanstd(v) nansum(v)
    nanvar(v) percentile(v, 30) prod(v) ptp(v) quantile(v, 0.3) std(v) sum(v) var(v)
    cumprod(v) cumsum(v) cumulative_prod(v) cumulative_sum(v) nancumprod(v) nancumsum(v)
    array_equal(v, w) array_equiv(v, w)
"""

_PRODUCTS = """
    convolve(v, w) correlate(v, w) corrcoef(m) cov(m) cross(v, w) dot(v, w)
    einsum("ij,j", m, v) einsum_path("ij,j", m, v) inner(v, w) outer(v, w)
    tensordot(m, m) vdot(v, w)
"""

_NUMERICAL = """
    angle(v) around(v) clip(v, 0.2, 0.8) diff(v) ediff1d(v) fix(v) gradient(v)
    i0(v) imag(v) interp(v, [0, 0.5, 1], w) isclose(v, w) iscomplex(v) isneginf(v)
    isposinf(v) isreal(v) nan_to_num(v) poly(v) polyadd(v, w) polyder(v) polydiv(v, w)
    polyfit(v, w, 1) polyint(v) polymul(v, w) polysub(v, w) polyval(v, w) real(v) real_if_close(v)
    roots(v) round(v) sinc(v) trapezoid(v) unwrap(v)
"""

_CHOICE = """
    argpartition(v, 1) argsort(v) argwhere(v) bincount(i) choose(k, [v, w, v]) compress(b, v)
    diag_indices_from(m) digitize(v, [0.2, 0.5]) extract(b, v) flatnonzero(v) histogram(v)
    histogram2d(v, w) histogram_bin_edges(v) histogramdd(m) intersect1d(v, w) isin(v, w) ix_(k)
    lexsort((v, w)) nonzero(v) partition(v, 1) piecewise(v, [b], [lambda x: x, 0.0])
    ravel_multi_index((k, k), (3, 3)) searchsorted([0.2, 0.5], v) select([b], [v]) setdiff1d(v, w)
    setxor1d(v, w) sort(v) sort_complex(v) take(v, k) take_along_axis(v, k) tril_indices_from(m)
    triu_indices_from(m) union1d(v, w) unique(v) unique_all(v) unique_counts(v) unique_inverse(v)
    unique_values(v) unravel_index(k, (3, 3)) where(b, v, w) packbits(b)
    unpackbits(i.astype("uint8"))
"""

_WRITES = """
    copyto(v, w) fill_diagonal(m, t) place(v, b, w) put(v, k, w) put_along_axis(v, k, w, 0)
    putmask(v, b, w)
"""

_MAKES = """
    arange(3) array(v) asanyarray(v) asarray(v) asarray_chkfinite(v) ascontiguousarray(v)
    asfortranarray(v) astype(v, "float32") bartlett(5) blackman(5) broadcast_shapes((3, 1), (2,))
    copy(v) diag_indices(3) empty(3) empty_like(v) eye(3) from_dlpack(v)
    frombuffer(bytes(8)) fromfunction(lambda x: x*v, (3,)) fromiter([1.0, 2.0], float) full(2, t)
    full_like(v, t) geomspace(t, 2.0) hamming(5) hanning(5) identity(3) indices((2, 2)) kaiser(5, t)
    linspace(t, 2.0) logspace(t, 2.0) mask_indices(3, np.triu) ones(3) ones_like(v) require(v)
    tri(3) tril_indices(3) triu_indices(3) zeros(3) zeros_like(v)
"""

_QUESTIONS = """
    can_cast(v, float) common_type(v) iscomplexobj(v) isdtype(v.dtype, "numeric") isfortran(m)
    isrealobj(v) isscalar(v) issubdtype(v.dtype, float) iterable(v) may_share_memory(v, w)
    min_scalar_type(v) ndim(v) promote_types("int8", "int16") result_type(v, w) shape(v)
    shares_memory(v, w) size(v) array2string(v) array_repr(v) array_str(v)
"""

_OF_FUNCTIONS = """
    apply_along_axis(lambda x: x*x, 0, m) apply_over_axes(np.sum, m, (0, 1))
"""


def _names(text: str) -> dict[str, str]:
    """The calls in a text, by the name of the function; a call ends where its parentheses do."""
    calls: dict[str, str] = {}
    depth, start = 0, 0
    for place, letter in enumerate(text):
        depth += (letter in "([") - (letter in ")]")
        if letter == ")" and depth == 0:
            call = text[start : place + 1].strip()
            calls[call.partition("(")[0]] = f"np.{call}"
            start = place + 1
    return calls


for _text in (
    _SPECIAL, _SHAPES, _REDUCTIONS, _PRODUCTS, _NUMERICAL, _CHOICE, _WRITES, _MAKES, _QUESTIONS,
    _OF_FUNCTIONS,
):  # fmt: skip
    CALLS.update(_names(_text))

# What is no function but is called, or indexed, like one.
CALLS |= {
    "c_": "np.c_[v, w]",
    "r_": "np.r_[v, w]",
    "s_": "np.s_[1:]",
    "index_exp": "np.index_exp[1:]",
    "mgrid": "np.mgrid[0:2, 0:3]",
    "ogrid": "np.ogrid[0:2, 0:3]",
    "vectorize": "np.vectorize(lambda x: x*x)(v)",
    "frompyfunc": "np.frompyfunc(lambda x: x*x, 1, 1)(v)",
    "ndenumerate": "list(np.ndenumerate(v))",
    "nditer": "list(np.nditer(v))",
    "poly1d": "np.poly1d(v)(t)",
    "bmat": "np.bmat([[m, m]])",
    "asmatrix": "np.asmatrix(m)",
}

NO_ALTERNATIVE = {
    "isfortran": "a tensor has no memory layout",
    "isnat": "a tensor holds no dates",
}
"""Why there is nothing to write instead."""

NO_TENSORS = """
    base_repr binary_repr busday_count busday_offset datetime_as_string datetime_data
    format_float_positional format_float_scientific fromfile fromregex fromstring genfromtxt
    get_include get_printoptions getbufsize geterr geterrcall info is_busday load loadtxt
    mintypecode nested_iters printoptions save savetxt savez savez_compressed set_printoptions
    setbufsize seterr seterrcall show_config show_runtime test typename
""".split()
"""Functions of files, dates, settings and text: they neither take nor give what can be a tensor."""
