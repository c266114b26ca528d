# docker build -t lfdfp .
# docker run --rm -v "$PWD:/shots" lfdfp run /shots/IMG_0001.lfp
FROM python:3.13-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE constraints.txt ./
COPY lfdfp lfdfp
# PyTorch without CUDA is a tenth of the size: give the address of its index as PIP_EXTRA_INDEX_URL.
ARG PIP_EXTRA_INDEX_URL=
RUN python -m venv /lfdfp && /lfdfp/bin/pip install --no-cache-dir '.[raw,heic,exr,cluster]'

FROM python:3.13-slim
COPY --from=build /lfdfp /lfdfp
RUN useradd --create-home lfdfp
USER lfdfp
WORKDIR /shots
ENTRYPOINT ["/lfdfp/bin/lfdfp"]
CMD ["--help"]
