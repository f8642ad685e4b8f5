// SPDX-License-Identifier: MIT
#include "app/demo.h"

namespace suoke::app {

const std::string& demo_yaml() {
    static const std::string kText = R"(# What `suoke-gateway dev` serves when it is given no file.
# To play with it: suoke-gateway dev --print-config > my.yaml, then suoke-gateway dev --config my.yaml;
# it is read again whenever it changes. The DEMO_* variables are set while dev runs.

server:
  host: 127.0.0.1
  port: 8000
  drain_timeout: 2s     # Ctrl-C should not take long

logging:
  format: text

store:
  path: ""              # nothing outlives dev

# A token is looked at where there is one, and needed where a route says so (auth: {mode: required}, below).
# The key is made by dev for each run; JWT_SECRET_KEY is stronger.
auth:
  mode: optional
  jwt: {secret_key: "${DEMO_JWT_SECRET:-}"}

services:
  auth-service: {endpoints: [{host: 127.0.0.1, port: "${DEMO_AUTH_PORT:-8001}"}], upstream_prefix: /api/v1}
  user-service: {endpoints: [{host: 127.0.0.1, port: "${DEMO_USER_PORT:-8006}"}], upstream_prefix: /api/v1}
  health-data-service: {endpoints: [{host: 127.0.0.1, port: "${DEMO_HEALTH_DATA_PORT:-8002}"}], upstream_prefix: /api/v1}
  xiaoai-service: {endpoints: [{host: 127.0.0.1, port: "${DEMO_XIAOAI_PORT:-8015}"}], upstream_prefix: /api/v1}
  look-service: {endpoints: [{host: 127.0.0.1, port: "${DEMO_LOOK_PORT:-8019}"}], upstream_prefix: /api/v1}
  calculation-service: {endpoints: [{host: 127.0.0.1, port: "${DEMO_CALCULATION_PORT:-8023}"}], upstream_prefix: /api/v1}

# The longest prefix that fits wins. A service sees its upstream_prefix (or the route's), then what
# followed the route's prefix; with `strip_prefix: false, upstream_prefix: ""` the path as it came.
routes:
  # -- /api/v1/gateway/<service>/...: /api/v1/gateway/auth-service/auth/login -> /api/v1/auth/login
  - {prefix: /api/v1/gateway/auth-service, service: auth-service, timeout: 10s}
  - {prefix: /api/v1/gateway/user-service, service: user-service, timeout: 15s}
  - {prefix: /api/v1/gateway/health-data-service, service: health-data-service, timeout: 20s}
  - {prefix: /api/v1/gateway/agent-services/xiaoai-service, service: xiaoai-service, timeout: 30s}
  - {prefix: /api/v1/gateway/agent-services/xiaoai-service/chat/stream, service: xiaoai-service, timeout: 0, idle_timeout: 120s, upstream_prefix: /api/v1/chat/stream}
  - {prefix: /api/v1/gateway/diagnostic-services/look-service, service: look-service, timeout: 45s, max_request_size: 128MB}

  # -- /api/v1/<domain>/...
  - {prefix: /api/v1/auth, service: auth-service, timeout: 10s, strip_prefix: false, upstream_prefix: ""}
  - {path: /api/v1/auth/me, service: auth-service, timeout: 10s, strip_prefix: false, upstream_prefix: "", auth: {mode: required}}   # 401 without a token
  - {prefix: /api/v1/users, service: user-service, timeout: 15s, strip_prefix: false, upstream_prefix: ""}
  - {prefix: /api/v1/user, service: user-service, timeout: 15s, upstream_prefix: /api/v1/users/me}
  - {prefix: /api/v1/health-data, service: health-data-service, timeout: 20s, strip_prefix: false, upstream_prefix: ""}
  - {prefix: /api/v1/vital-signs, service: health-data-service, timeout: 20s, strip_prefix: false, upstream_prefix: ""}
  - {prefix: /api/v1/agents/xiaoai, service: xiaoai-service, timeout: 30s}
  - {prefix: /api/v1/agents/xiaoai/chat/stream, service: xiaoai-service, timeout: 0, idle_timeout: 120s, upstream_prefix: /api/v1/chat/stream}
  - {prefix: /api/v1/diagnosis/look, service: look-service, timeout: 45s, max_request_size: 128MB, upstream_prefix: /api/v1/analysis}
  - {prefix: /api/v1/diagnosis, service: calculation-service, timeout: 45s, strip_prefix: false, upstream_prefix: ""}

  # -- /api/<x>/...
  - {prefix: /api/auth, service: auth-service, timeout: 10s, upstream_prefix: /api/v1/auth}
  - {prefix: /api/users, service: user-service, timeout: 15s, upstream_prefix: /api/v1/users}
  - {prefix: /api/health-data, service: health-data-service, timeout: 20s, upstream_prefix: /api/v1/health-data}
  - {prefix: /api/agents/xiaoai, service: xiaoai-service, timeout: 30s}
  - {prefix: /api/diagnosis/look, service: look-service, timeout: 45s, max_request_size: 128MB, upstream_prefix: /api/v1/analysis}
  - {prefix: /api/diagnosis, service: calculation-service, timeout: 45s, upstream_prefix: /api/v1/diagnosis}
)";
    return kText;
}

}  // namespace suoke::app
